//! Answers of the admin API: JSON, or what is wrong with a call in one sentence.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::book::BookError;

/// What is wrong with a call, with its status.
#[derive(Debug)]
pub(super) struct Wrong {
    status: StatusCode,
    problem: String,
    /// What else can be done at this path, where the method is none of them.
    allow: Option<HeaderValue>,
}

impl Wrong {
    pub(super) fn new(status: StatusCode, problem: impl Into<String>) -> Self {
        Self {
            status,
            problem: problem.into(),
            allow: None,
        }
    }

    /// The body, or a parameter, is not of the form that is wanted.
    pub(super) fn form(problem: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, problem)
    }

    pub(super) fn missing(problem: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, problem)
    }

    /// What is asked for cannot be done as things stand.
    pub(super) fn conflict(problem: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, problem)
    }

    pub(super) fn method(allowed: &str) -> Self {
        Self {
            status: StatusCode::METHOD_NOT_ALLOWED,
            problem: format!("this path takes {allowed}"),
            allow: HeaderValue::from_str(allowed).ok(),
        }
    }
}

impl From<BookError> for Wrong {
    fn from(error: BookError) -> Self {
        match error {
            BookError::UnknownOrder | BookError::UnknownRefund => Self::missing(error.to_string()),
            BookError::Stars => Self::form(error.to_string()),
            _ => Self::conflict(error.to_string()),
        }
    }
}

impl From<Wrong> for Response<Bytes> {
    fn from(wrong: Wrong) -> Self {
        let mut response = write(wrong.status, &json!({ "error": wrong.problem }));
        if let Some(allow) = wrong.allow {
            response.headers_mut().insert(header::ALLOW, allow);
        }
        response
    }
}

/// That value, with status 200.
pub(super) fn answer(value: &Value) -> Response<Bytes> {
    write(StatusCode::OK, value)
}

fn write(status: StatusCode, value: &Value) -> Response<Bytes> {
    let mut response = file("application/json", Bytes::from(format!("{value}\n")));
    *response.status_mut() = status;
    response
}

/// Something that is not JSON.
pub(super) fn file(kind: &'static str, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    let kind = HeaderValue::from_static(kind);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
