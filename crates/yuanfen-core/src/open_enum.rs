//! Enumerations that may grow on the other side.

use std::fmt;

/// The text of a value that the enumeration does not name yet.
///
/// It prints and can be sent back unchanged, but cannot be matched on: promoting it to a named variant later breaks
/// nobody.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unrecognized(Box<str>);

impl Unrecognized {
    #[doc(hidden)]
    #[must_use]
    pub fn __new(text: &str) -> Self {
        Self(text.into())
    }

    #[doc(hidden)]
    #[must_use]
    pub fn __as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Unrecognized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Makes a `#[non_exhaustive]` enum of wire texts that keeps what it does not know.
///
/// It gets `as_str`, `From<&str>`, `Display`, [`WireText`](crate::WireText) and, where core's feature `json` is on,
/// `serde::Serialize`.
///
/// ```
/// yuanfen_core::open_enum! {
///     /// Kind of coupon.
///     pub enum CouponType {
///         /// Paid for by the payer.
///         Cash = "CASH",
///         /// Free.
///         NoCash = "NO_CASH",
///     }
/// }
/// assert_eq!(CouponType::from("CASH"), CouponType::Cash);
/// assert_eq!(CouponType::from("NEW_KIND").as_str(), "NEW_KIND");
/// ```
#[macro_export]
macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        $visibility:vis enum $name:ident {
            $( $(#[$variant_meta:meta])* $variant:ident = $text:literal ),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        $visibility enum $name {
            $( $(#[$variant_meta])* #[doc = concat!("\n\nOn the wire `", $text, "`.")] $variant, )+
            /// A value that this version does not name, kept as it came.
            Unknown($crate::Unrecognized),
        }

        impl $name {
            /// The text on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $( Self::$variant => $text, )+
                    Self::Unknown(text) => text.__as_str(),
                }
            }
        }

        impl ::core::convert::From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $( $text => Self::$variant, )+
                    _ => Self::Unknown($crate::Unrecognized::__new(text)),
                }
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl $crate::WireText for $name {
            fn read(text: &str) -> ::core::result::Result<Self, $crate::ValueError> {
                ::core::result::Result::Ok(Self::from(text))
            }

            fn write(&self, out: &mut ::std::string::String) {
                out.push_str(self.as_str());
            }
        }

        $crate::__open_enum_serde!($name);
    };
}

#[cfg(feature = "json")]
#[doc(hidden)]
#[macro_export]
macro_rules! __open_enum_serde {
    ($name:ident) => {
        impl $crate::__private::serde::Serialize for $name {
            fn serialize<S: $crate::__private::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

#[cfg(not(feature = "json"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __open_enum_serde {
    ($name:ident) => {};
}
