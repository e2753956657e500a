//! How the calls of a till go together: charging a code, asking what became of it, and undoing it. v2 sheet, sections 6.6
//! and 6.7.

use yuanfen_core::{Again, CodePaymentCall, CodePaymentEvent, CodePaymentRule, Error, Fate, OrderNo, Standing};

use crate::ops::{Micropay, PaidOrder, QueriedOrder, QueryOrder, Recall, ReverseOrder, ReversedOrder};
use crate::settle::CODE_PAYMENT;

impl CodePaymentCall for Micropay {
    type Query = QueryOrder;
    type Reverse = ReverseOrder;

    const RULE: CodePaymentRule = CODE_PAYMENT;

    fn order_no(&self) -> &OrderNo {
        &self.order_no
    }

    fn query(order_no: OrderNo) -> QueryOrder {
        QueryOrder::by_order_no(order_no)
    }

    fn reverse(order_no: OrderNo) -> ReverseOrder {
        ReverseOrder::by_order_no(order_no)
    }

    /// An answer that opens is a payment: "the payer is typing" is a refusal.
    fn read_reply(_: &PaidOrder) -> CodePaymentEvent {
        CodePaymentEvent::Paid
    }

    /// `PAYERROR` counts as pending, though it is said to be final here: the reversal that follows makes it certain. After
    /// a reversal `REFUND` counts as paid like everywhere, which the machine then believes no more than any other "paid".
    fn read_standing(found: &QueriedOrder) -> Standing {
        found.standing()
    }

    fn read_reversal(reversed: &ReversedOrder) -> CodePaymentEvent {
        if reversed.is_done() {
            CodePaymentEvent::Reversed
        } else {
            CodePaymentEvent::ReverseAgain
        }
    }

    /// A refusal has `recall` too, and that is followed before its code.
    fn read_reversal_failure(error: &Error) -> CodePaymentEvent {
        let event = CodePaymentEvent::of_failed_reversal(error);
        let Some(refusal) = error.refusal().filter(|refusal| refusal.verified) else {
            return event;
        };
        let is_refused = matches!(refusal.meaning.again, Again::AfterQuery | Again::WhenMended);
        match Recall::of_refusal(refusal) {
            Some(Recall::Again) => CodePaymentEvent::ReverseAgain,
            // The fate of such a code is unknown because the payment's is. The reversal itself did nothing, and the same
            // again cannot do more.
            _ if is_refused => CodePaymentEvent::ReverseFailed(Fate::Refused),
            // Not to be called again, and nobody says whether it was done: asked about, and "paid" is not believed.
            Some(Recall::Done) if event == CodePaymentEvent::ReverseFailed(Fate::Unknown) => {
                CodePaymentEvent::ReverseFailed(Fate::Already)
            }
            _ => event,
        }
    }
}
