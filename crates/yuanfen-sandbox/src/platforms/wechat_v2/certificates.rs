//! Calls that take the merchant's certificate (column C in section 2 of the sheet). On plain http nobody can show one,
//! so there the signature alone says who asks.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

use super::message::Merchant;
use crate::arrival::ClientCertificate;

/// What is said of the certificate of another merchant: `return_msg` as users report it
/// (github.com/supersheep/wechat-pay, issue 43).
pub(super) const NOT_THEIRS: &str = "certificate not match";

/// Refuses who shows none, or one of nobody here, as the web server in front of the platform does: in HTML
/// (github.com/zwczou/weixin-python, issue 88; github.com/binarywang/weixin-java-pay-demo, issue 60).
pub(super) fn refuse_at_the_door(shown: &ClientCertificate, merchants: &[Merchant]) -> Option<Response<Bytes>> {
    match shown {
        ClientCertificate::NotAsked => None,
        ClientCertificate::Absent => Some(page("No required SSL certificate was sent")),
        ClientCertificate::Presented(_) => {
            let known = merchants.iter().any(|merchant| is_theirs(shown, merchant));
            (!known).then(|| page("The SSL certificate error"))
        }
    }
}

/// Whether that merchant may call with what was shown.
pub(super) fn is_theirs(shown: &ClientCertificate, merchant: &Merchant) -> bool {
    match shown {
        ClientCertificate::NotAsked => true,
        ClientCertificate::Absent => false,
        ClientCertificate::Presented(der) => *der == merchant.certificate,
    }
}

fn page(words: &str) -> Response<Bytes> {
    let html = format!(
        "<html>\r\n<head><title>400 {words}</title></head>\r\n<body bgcolor=\"white\">\r\n<center><h1>400 Bad \
         Request</h1></center>\r\n<center>{words}</center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    );
    let mut response = Response::new(Bytes::from(html));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    response
}
