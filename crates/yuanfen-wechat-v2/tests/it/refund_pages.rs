//! Paging over the refunds of an order against a far side that hands out at most ten at a time: v2 sheet, section 6.5.

use yuanfen_core::{Error, OperationExt as _, RefundNo};
use yuanfen_wechat_v2::ops::{QueriedRefunds, QueryRefund};

use crate::far_side::{account, ambient, answer, changed, now, response, sent, signed, why, xml};
use crate::refunds::{FOUND, order_key, without};
use yuanfen_wechat_v2::SignType;

/// The platform's side: an order with so many refunds, which tells the number of all or does not.
struct Order {
    refunds: usize,
    tells_all: bool,
    /// How many it hands out at most; the documents promise no more than that it is at most ten.
    page: usize,
}

impl Order {
    fn ask(&self, query: &QueryRefund) -> Result<QueriedRefunds, Error> {
        let fields = sent(&query.request(&account(), &ambient()).unwrap());
        let offset = fields.get("offset").map_or(0, |text| text.parse::<usize>().unwrap());
        let mut pairs = without(FOUND, &["out_refund_no", "refund_"]);
        if offset >= self.refunds {
            let no = [
                ("result_code", Some("FAIL")),
                ("err_code", Some("PARAM_ERROR")),
                ("err_code_des", Some("offset超过最大值")),
            ];
            return query.reply(&account(), &answer(&changed(FOUND, &no)), now());
        }
        let numbers = offset..self.refunds.min(offset + self.page);
        pairs.push(("refund_count".to_owned(), numbers.len().to_string()));
        if self.tells_all {
            pairs.push(("total_refund_count".to_owned(), self.refunds.to_string()));
        }
        for (index, number) in numbers.enumerate() {
            for (family, value) in [
                ("out_refund_no", format!("R{number}")),
                ("refund_id", format!("5000{number}")),
                ("refund_fee", "1".to_owned()),
                ("refund_status", "SUCCESS".to_owned()),
                ("coupon_refund_fee", "2".to_owned()),
            ] {
                pairs.push((format!("{family}_{index}"), value));
            }
            pairs.push((format!("coupon_refund_id_{index}_0"), format!("C{number}")));
            pairs.push((format!("coupon_refund_fee_{index}_0"), "1".to_owned()));
        }
        query.reply(&account(), &answer(&pairs), now())
    }

    /// All refunds, and how many questions it took.
    fn walk(&self) -> (Vec<String>, usize) {
        let mut numbers = Vec::new();
        let mut asked = 0;
        let mut next = Some(QueryRefund::by_order(order_key()));
        while let Some(query) = next {
            asked += 1;
            assert!(asked < 100, "it ends");
            match self.ask(&query) {
                Ok(found) => {
                    for record in &found.refunds {
                        let [coupon] = &*record.coupons else {
                            panic!("{record:?}")
                        };
                        let number = record.refund_no.as_str();
                        assert_eq!(coupon.id.as_deref(), Some(&*number.replace('R', "C")));
                        assert_eq!(
                            found.refund(&RefundNo::new(number).unwrap()).unwrap().index,
                            record.index
                        );
                        numbers.push(number.to_owned());
                    }
                    next = query.next_page(&found);
                }
                Err(error) => {
                    assert!(query.is_past_the_last(&error), "{}", why(&error));
                    next = None;
                }
            }
        }
        (numbers, asked)
    }
}

#[test]
fn sees_every_refund_once_whatever_the_pages() {
    for refunds in [1, 9, 10, 11, 19, 20, 25, 36, 50] {
        for tells_all in [true, false] {
            // Without the number of all, a short page counts as the last one, so only full ones are walked.
            for page in if tells_all { vec![10, 7, 1] } else { vec![10] } {
                let order = Order {
                    refunds,
                    tells_all,
                    page,
                };
                let (numbers, asked) = order.walk();
                let expected: Vec<_> = (0..refunds).map(|number| format!("R{number}")).collect();
                assert_eq!(numbers, expected, "{refunds} in pages of {page}");
                // One more where only a refusal says that the last page was the last.
                let more = usize::from(!tells_all && refunds % 10 == 0);
                assert_eq!(asked, refunds.div_ceil(page) + more, "{refunds} in pages of {page}");
            }
        }
    }
}

#[test]
fn pages_over_25_refunds_by_what_came() {
    let order = Order {
        refunds: 25,
        tells_all: true,
        page: 10,
    };
    let first = QueryRefund::by_order(order_key());
    let page = order.ask(&first).unwrap();
    assert_eq!(
        (page.refunds.len(), page.count, page.total_count),
        (10, Some(10), Some(25))
    );
    let second = first.next_page(&page).unwrap();
    let third = second.next_page(&order.ask(&second).unwrap()).unwrap();
    assert_eq!((second.offset, third.offset), (Some(10), Some(20)));
    let last = order.ask(&third).unwrap();
    assert_eq!((last.refunds.len(), last.refunds.first().unwrap().index), (5, 0));
    assert!(third.next_page(&last).is_none());
}

#[test]
fn takes_only_a_signed_refusal_behind_the_first_page_for_the_end() {
    let order = Order {
        refunds: 10,
        tells_all: false,
        page: 10,
    };
    let mut behind = QueryRefund::by_order(order_key());
    behind.offset = Some(10);
    assert!(behind.is_past_the_last(&order.ask(&behind).unwrap_err()));

    let refusal = |code: &str| changed(FOUND, &[("result_code", Some("FAIL")), ("err_code", Some(code))]);
    let reply = |query: &QueryRefund, body: Vec<u8>| query.reply(&account(), &response(200, body), now()).unwrap_err();
    let signed = |code: &str| xml(&signed(&refusal(code), SignType::Md5));
    assert!(behind.is_past_the_last(&reply(&behind, signed("PARAM_ERROR"))));
    assert!(!behind.is_past_the_last(&reply(&behind, signed("SYSTEMERROR"))));
    assert!(
        !behind.is_past_the_last(&reply(&behind, xml(&refusal("PARAM_ERROR")))),
        "unsigned"
    );
    assert!(!behind.is_past_the_last(&reply(&behind, Vec::new())));
    let not_through = b"<xml><return_code>PARAM_ERROR</return_code></xml>".to_vec();
    assert!(!behind.is_past_the_last(&reply(&behind, not_through)));
    // On the first page it says that something is wrong.
    for offset in [None, Some(0)] {
        behind.offset = offset;
        assert!(!behind.is_past_the_last(&reply(&behind, signed("PARAM_ERROR"))));
    }
}
