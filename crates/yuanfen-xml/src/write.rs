//! Fields to bytes.

use yuanfen_core::{FieldError, Fields, ValueError};

use crate::{escape, grammar};

/// Writes a flat XML message: a root element of that name, and in it one element for each field, in their order.
///
/// No declaration, no attribute, no white space that is not part of a value. Empty values are written as empty
/// elements; leave out what should not be sent. What is written is read back as the same fields, here and by other
/// parsers.
///
/// ```
/// use yuanfen_core::Fields;
/// use yuanfen_xml::write;
/// let fields = Fields::try_from(&[("return_code", "SUCCESS"), ("return_msg", "a < b")][..])?;
/// assert_eq!(
///     write("xml", &fields)?,
///     "<xml><return_code>SUCCESS</return_code><return_msg><![CDATA[a < b]]></return_msg></xml>",
/// );
/// # Ok::<(), yuanfen_core::FieldError>(())
/// ```
///
/// # Errors
/// Names the field whose name is no XML name, or whose value holds a character that XML 1.0 cannot carry in any
/// spelling (most control characters). The value itself is not part of the error.
pub fn write(root: &str, fields: &Fields) -> Result<String, FieldError> {
    check_name(root)?;
    let size = fields
        .iter()
        .map(|(name, value)| name.len().saturating_mul(2).saturating_add(value.len()))
        .fold(root.len().saturating_mul(2), usize::saturating_add);
    // Behind `<></>` for each element there is `<![CDATA[]]>` around most values.
    let quoting = fields.len().saturating_add(1).saturating_mul(17);
    let mut out = String::with_capacity(size.saturating_add(quoting));
    push_tag(&mut out, "<", root);
    for (name, value) in fields.iter() {
        check_name(name)?;
        if grammar::first_forbidden(value).is_some() {
            return Err(FieldError::new(
                name,
                ValueError::Form {
                    expected: "text that XML can carry",
                },
            ));
        }
        push_tag(&mut out, "<", name);
        escape::push_value(&mut out, value);
        push_tag(&mut out, "</", name);
    }
    push_tag(&mut out, "</", root);
    Ok(out)
}

fn check_name(name: &str) -> Result<(), FieldError> {
    if grammar::is_name(name) {
        Ok(())
    } else {
        Err(FieldError::new(
            name,
            ValueError::Form {
                expected: "an element's name",
            },
        ))
    }
}

fn push_tag(out: &mut String, open: &str, name: &str) {
    out.push_str(open);
    out.push_str(name);
    out.push('>');
}
