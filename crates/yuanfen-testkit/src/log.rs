//! What is logged, as text.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::subscriber::{DefaultGuard, NoSubscriber};
use tracing::{Dispatch, Level};
use tracing_subscriber::fmt::format::FmtSpan;

/// What is logged on this thread while it lives, spans at their end.
///
/// Whether a call site is of interest is found out when it is first reached, which other tests do on other threads. So let the
/// code under test run once before it is listened to. A second subscriber then makes sure that every site is asked again, by
/// more than the thread that came first.
#[derive(Debug)]
pub struct Log {
    written: Written,
    _listening: DefaultGuard,
    _second: Dispatch,
}

impl Log {
    /// Listens from now on, as closely as `level` is.
    #[must_use]
    pub fn listen(level: Level) -> Self {
        let written = Written::default();
        let writer = written.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_span_events(FmtSpan::CLOSE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        let second = Dispatch::new(NoSubscriber::new());
        Self {
            written,
            _listening: tracing::subscriber::set_default(subscriber),
            _second: second,
        }
    }

    /// What was logged; nothing further is listened to.
    #[must_use]
    pub fn end(self) -> String {
        let written = self.written.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&written).into_owned()
    }
}

#[derive(Clone, Debug, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
