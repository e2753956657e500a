//! The payer's phone: what payers do with orders, and what becomes of refunds.

use std::sync::Arc;

use yuanfen_core::UnixTime;

use super::{FarSide, State, side};
use crate::book::{Account, Book, BookError, Comment, Order, Payer, RefundState, Setback, Terms};
use crate::faults::Strikes;
use crate::platforms::{Desk, PageRefused, Platform};

impl FarSide {
    /// The payer pays the whole order. At a till it is the one whose code was charged, who thereby typed the password.
    ///
    /// # Errors
    /// When there is no such order, or nobody can pay it any more.
    pub fn pay(&self, account: impl Into<Account>, order_no: &str) -> Result<Order, BookError> {
        self.pay_with(account.into(), order_no, None)
    }

    /// That payer pays the whole order.
    ///
    /// # Errors
    /// When there is no such order, nobody can pay it any more, or the coupons are worth more than it, or one of them
    /// nothing.
    pub fn pay_as(&self, account: impl Into<Account>, order_no: &str, payer: Payer) -> Result<Order, BookError> {
        self.pay_with(account.into(), order_no, Some(payer))
    }

    /// The payer had opened the cashier while the order was open, and is done after its time was up: the order is paid,
    /// though it was closed a moment ago. An order that is still open is simply paid. WeChat Pay says that this can
    /// happen (section 6.1 of v2's sheet), so a shop must know what to do about money for an order that it gave up.
    ///
    /// # Errors
    /// When there is no such order, or nobody can pay it any more: the merchant closed it, or it was charged at a till.
    pub fn pay_late(&self, account: impl Into<Account>, order_no: &str) -> Result<Order, BookError> {
        let account = account.into();
        let late = self.pay_how(&mut self.state(), account.platform, |book, terms, now| {
            book.pay_late(account, order_no, terms, now)
        });
        Ok(Arc::unwrap_or_clone(late?))
    }

    fn pay_with(&self, account: Account, order_no: &str, payer: Option<Payer>) -> Result<Order, BookError> {
        let order = self.pay_in(&mut self.state(), account, order_no, payer)?;
        Ok(Arc::unwrap_or_clone(order))
    }

    pub(super) fn pay_in(
        &self,
        state: &mut State,
        account: Account,
        order_no: &str,
        payer: Option<Payer>,
    ) -> Result<Arc<Order>, BookError> {
        self.pay_how(state, account.platform, |book, terms, now| {
            book.pay(account, order_no, payer, terms, now)
        })
    }

    fn pay_how(
        &self,
        state: &mut State,
        platform: Platform,
        pay: impl FnOnce(&mut Book, Terms, UnixTime) -> Result<Arc<Order>, BookError>,
    ) -> Result<Arc<Order>, BookError> {
        let State { sides, book, .. } = state;
        let side = side(sides, platform).ok_or(BookError::UnknownOrder)?;
        let terms = Terms {
            transaction_id: side.transaction_id(&self.0.ambient),
            bank: side.default_bank(),
        };
        let order = pay(book, terms, self.now())?;
        let postings = side.after_payment(&order);
        self.post(state, &order, postings);
        self.touch_book(state, &[]);
        Ok(order)
    }

    /// The payer opens the app at a till: the digits behind the code that it shows. They live a minute and pay one
    /// order, with what that payer has and in the way that [`Payer::reaction`] says. WeChat Pay alone takes them.
    #[must_use = "the code is all that the till needs"]
    pub fn payment_code(&self, platform: Platform, payer: Payer) -> String {
        let ambient = &self.0.ambient;
        // Eighteen digits that begin with 10 to 15.
        let code = format!("1{}{}", ambient.text(b"012345", 1), ambient.digits(16));
        let now = self.now();
        self.state().book.show_code(platform, code.clone(), payer, now);
        code
    }

    /// The payer at a till takes the time: a minute from now on to type the password, or to pay, give up or fail.
    ///
    /// # Errors
    /// When there is no such order, it was not charged at a till, or nobody is paying it any more.
    pub fn keep_typing(&self, account: impl Into<Account>, order_no: &str) -> Result<Order, BookError> {
        let now = self.now();
        let mut state = self.state();
        let order = state.book.keep_typing(account, order_no, now)?.clone();
        self.touch_book(&mut state, &[]);
        Ok(order)
    }

    /// The payer closes the cashier, or the password's page at a till. The order stays open, but at a till nobody can
    /// pay it any more.
    ///
    /// # Errors
    /// When there is no such order, or nobody can pay it any more.
    pub fn cancel(&self, account: impl Into<Account>, order_no: &str) -> Result<Order, BookError> {
        self.set_back(account.into(), order_no, Setback::Cancelled)
    }

    /// The payer's bank refuses. The order stays open, but it is over on platforms that call a failure final (StarPos
    /// and mpgateway, whose sheets do), and at a till.
    ///
    /// # Errors
    /// When there is no such order, or nobody can pay it any more.
    pub fn fail(&self, account: impl Into<Account>, order_no: &str) -> Result<Order, BookError> {
        self.set_back(account.into(), order_no, Setback::Failed)
    }

    fn set_back(&self, account: Account, order_no: &str, setback: Setback) -> Result<Order, BookError> {
        let now = self.now();
        let mut state = self.state();
        let State { sides, book, .. } = &mut *state;
        let mut order = book.set_back(account, order_no, setback, now)?.clone();
        let side = side(sides, account.platform);
        if setback == Setback::Failed && side.is_some_and(|side| side.failure_is_final()) {
            order = book.close(account, order_no, now)?.clone();
        }
        self.touch_book(&mut state, &[]);
        Ok(order)
    }

    /// The payer says what they think of what they bought: one to five stars, and words.
    ///
    /// # Errors
    /// When there is no such order, nobody paid it, or there are more or fewer stars.
    pub fn comment(
        &self,
        account: impl Into<Account>,
        order_no: &str,
        stars: u8,
        text: impl Into<String>,
    ) -> Result<Order, BookError> {
        let now = self.now();
        let comment = Comment {
            at: now,
            stars,
            text: text.into(),
        };
        let mut state = self.state();
        let order = state.book.comment(account, order_no, comment, now)?.clone();
        self.touch_book(&mut state, &[]);
        Ok(order)
    }

    /// Brings a refund to its end: with the payer, given up, or abnormal.
    ///
    /// # Errors
    /// When there is no such refund, or it came to its end already.
    pub fn settle_refund(
        &self,
        account: impl Into<Account>,
        refund_no: &str,
        end: RefundState,
    ) -> Result<Order, BookError> {
        let account = account.into();
        let now = self.now();
        let mut state = self.state();
        let State { sides, book, .. } = &mut *state;
        let order = book.settle_refund(account, refund_no, end, now)?;
        let side = side(sides, account.platform).ok_or(BookError::UnknownRefund)?;
        let refund = order.refund(refund_no).ok_or(BookError::UnknownRefund)?;
        let postings = side.after_refund(&order, refund);
        self.post(&mut state, &order, postings);
        self.touch_book(&mut state, &[]);
        drop(state);
        Ok(Arc::unwrap_or_clone(order))
    }

    /// The order of that number, as it stands now.
    #[must_use]
    pub fn order(&self, account: impl Into<Account>, order_no: &str) -> Option<Order> {
        let now = self.now();
        self.state().book.order(account, order_no, now).cloned()
    }

    /// The order of which that is a refund, as it stands now.
    pub(crate) fn order_of_refund(&self, account: impl Into<Account>, refund_no: &str) -> Option<Order> {
        let state = self.state();
        state.book.by_refund(account, refund_no).map(|(order, _)| order.clone())
    }

    /// All orders of an account as they stand now, by number.
    #[must_use]
    pub fn orders(&self, account: impl Into<Account>) -> Vec<Order> {
        let now = self.now();
        let mut state = self.state();
        state.book.expire(now);
        state.book.of(account).cloned().collect()
    }

    /// What the payer's app does with the parameters that a page hands it: checks them as the platform does, and names
    /// the order. Paying is the next step. WeChat Pay also takes what it answered an order with: `code_url`, as if the
    /// payer scanned it, and `mweb_url` (v2) or `h5_url` (APIv3), as if a browser opened it.
    ///
    /// # Errors
    /// When the cashier does not open on them.
    pub fn open_cashier(&self, platform: Platform, parameters: &[(&str, &str)]) -> Result<String, PageRefused> {
        let mut state = self.state();
        let State { sides, book, .. } = &mut *state;
        let side = side(sides, platform).ok_or(PageRefused::NoCashier)?;
        let calm = Strikes::default();
        side.open_cashier(
            parameters,
            &mut Desk::new(book, &self.0.ambient, &self.0.base_url, &calm),
        )
    }

    /// A code as `wx.login` gives it to a mini program; it is good once, for five minutes. `None` where no app has that
    /// id.
    #[must_use]
    pub fn login_code(&self, app_id: &str) -> Option<String> {
        let mut state = self.state();
        let sides = &mut state.sides;
        sides
            .iter_mut()
            .find_map(|side| side.login_code(app_id, &self.0.ambient))
    }

    /// Does what WeChat's app does when the page at `url` calls `wx.config` with `appId`, `timestamp`, `nonceStr` and
    /// `signature`: checks the signature with the ticket that the app has at present.
    ///
    /// # Errors
    /// When WeChat's app would refuse it: [`PageRefused::Parameter`] names what is absent or not known,
    /// [`PageRefused::Expired`] says that the app has no ticket, or none that lives.
    pub fn open_page(&self, url: &str, parameters: &[(&str, &str)]) -> Result<(), PageRefused> {
        let mut state = self.state();
        let State { sides, book, .. } = &mut *state;
        let calm = Strikes::default();
        let desk = Desk::new(book, &self.0.ambient, &self.0.base_url, &calm);
        let mut outcome = Err(PageRefused::Parameter("appId"));
        for side in sides {
            outcome = side.open_page(url, parameters, &desk);
            if outcome != Err(PageRefused::Parameter("appId")) {
                break;
            }
        }
        outcome
    }
}
