//! Values that belong to the payer, and raw messages that hold them: they are handed out, and never shown.

use std::fmt;

use bytes::Bytes;
use yuanfen_core::{ValueError, WireText};

macro_rules! unseen_text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// Takes the text as it is; its rule is checked where it is sent.
            pub fn new(text: impl Into<Box<str>>) -> Self {
                Self(text.into())
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }

        impl WireText for $name {
            fn read(text: &str) -> Result<Self, ValueError> {
                Ok(Self::new(text))
            }

            fn write(&self, out: &mut String) {
                out.push_str(&self.0);
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    };
}

unseen_text!(
    /// `openid`: who pays, under one app. `Debug` does not show it.
    OpenId
);

unseen_text!(
    /// A text about the payer, such as the account that a refund went to. `Debug` does not show it.
    PayerText
);

/// The bytes of a message. `Debug` shows how many there are.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) struct Raw(pub(crate) Bytes);

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}
