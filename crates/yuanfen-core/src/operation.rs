//! One call as a value.

use bytes::Bytes;

use crate::{Ambient, BuildError, Draft, Error, ErrorKind, OpenError, Opens, Provider, Route, RouteInfo, UnixTime};

/// A call of a platform: its fields, how they become a message, and how the answer becomes a typed reply.
///
/// Credentials are not in it: the same value can be sent from two merchants, and it can be logged.
pub trait Operation {
    /// Whose call it is.
    type Provider: Provider;
    /// What its answer is opened into: verified or unsigned.
    type Inbound: Opens<Self::Provider>;
    /// What the caller gets.
    type Reply;

    /// Where it goes and what repeating it means.
    const ROUTE: Route;

    /// Checks the fields and writes the message.
    ///
    /// # Errors
    /// Names the field that breaks a rule, the rule, and where the rule is written. Nothing has left the process.
    fn encode(
        &self,
        account: &Self::Provider,
        ambient: &dyn Ambient,
    ) -> Result<<Self::Provider as Provider>::Outbound, BuildError>;

    /// Types the opened answer.
    ///
    /// # Errors
    /// A refusal of the platform, or an answer that lacks what the contract promises.
    fn decode(&self, account: &Self::Provider, inbound: Self::Inbound) -> Result<Self::Reply, OpenError>;
}

/// The calls that most people use.
pub trait OperationExt: Operation + Sized {
    /// The request with its signature still to come, for a key that is elsewhere: sign its text, then finish it.
    ///
    /// # Errors
    /// As [`Operation::encode`] and [`Provider::draft`]; nothing has left the process.
    fn draft(&self, account: &Self::Provider, ambient: &dyn Ambient) -> Result<Draft, Error> {
        let draft = self.encode(account, ambient);
        let draft = draft.and_then(|message| account.draft(message, ambient));
        draft
            .map(|draft| draft.with_client_auth(Self::ROUTE.client_certificate))
            .map_err(|error| Error::new(RouteInfo::of::<Self>(), ErrorKind::Build(error)))
    }

    /// The signed request, ready to send.
    ///
    /// # Errors
    /// As [`Operation::encode`] and [`Provider::seal`]; nothing has left the process.
    fn request(&self, account: &Self::Provider, ambient: &dyn Ambient) -> Result<http::Request<Bytes>, Error> {
        self.draft(account, ambient)?
            .seal(account.signer(), ambient)
            .map_err(|error| Error::new(RouteInfo::of::<Self>(), ErrorKind::Build(error)))
    }

    /// The typed reply.
    ///
    /// # Errors
    /// A failed check, a refusal, or an answer that the protocol does not allow; each says what may have happened to
    /// the money.
    fn reply(
        &self,
        account: &Self::Provider,
        response: &http::Response<Bytes>,
        now: UnixTime,
    ) -> Result<Self::Reply, Error> {
        let open = || Self::Inbound::open(account, response, now).and_then(|inbound| self.decode(account, inbound));
        open().map_err(|error| Error::new(RouteInfo::of::<Self>(), error.into()))
    }
}

impl<O: Operation> OperationExt for O {}

/// A call that this version has no type for: it is signed and its answer opened like any other, its fields are the
/// caller's.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RawOperation<P: Provider> {
    /// Where it goes and what repeating it means, in the caller's word.
    pub route: Route,
    /// The message.
    pub outbound: P::Outbound,
}

impl<P: Provider> RawOperation<P> {
    /// A call to that route with that message.
    pub const fn new(route: Route, outbound: P::Outbound) -> Self {
        Self { route, outbound }
    }

    /// The request with its signature still to come, and the route that [`open`](Self::open) wants back.
    ///
    /// # Errors
    /// As [`Provider::draft`].
    pub fn draft<I: Opens<P>>(self, account: &P, ambient: &dyn Ambient) -> Result<(Draft, RouteInfo), Error> {
        let info = RouteInfo {
            route: self.route,
            reply: I::TRUST,
        };
        match account.draft(self.outbound, ambient) {
            Ok(draft) => Ok((draft.with_client_auth(info.route.client_certificate), info)),
            Err(error) => Err(Error::new(info, ErrorKind::Build(error))),
        }
    }

    /// The signed request, and the route that [`open`](Self::open) wants back.
    ///
    /// # Errors
    /// As [`Provider::seal`].
    pub fn request<I: Opens<P>>(
        self,
        account: &P,
        ambient: &dyn Ambient,
    ) -> Result<(http::Request<Bytes>, RouteInfo), Error> {
        let (draft, info) = self.draft::<I>(account, ambient)?;
        match draft.seal(account.signer(), ambient) {
            Ok(request) => Ok((request, info)),
            Err(error) => Err(Error::new(info, ErrorKind::Build(error))),
        }
    }

    /// The opened, untyped answer.
    ///
    /// # Errors
    /// As [`Opens::open`].
    pub fn open<I: Opens<P>>(
        info: &RouteInfo,
        account: &P,
        response: &http::Response<Bytes>,
        now: UnixTime,
    ) -> Result<I, Error> {
        I::open(account, response, now).map_err(|error| Error::new(info.clone(), error.into()))
    }
}
