//! What a page hands to the payer's app. The app asks WeChat, which knows a key that only the acquirer has.

use yuanfen_core::{Fields, Sign as _, SignatureError, Verify as _, WireText as _, nonce_text};
use yuanfen_sign::{Blanks, Empties, NameOrder, PairRules, Render, Tail};

use super::{Starpos, orders, put};
use crate::book::OrderState;
use crate::platforms::{Desk, PageRefused, Platform};

/// WeChat's rule for pages whose `signType` is `MD5`.
const RULES: PairRules = PairRules {
    order: NameOrder::Bytes,
    empties: Empties::Drop,
    render: Render::NameEqualsValue,
    tail: Tail::KeyField,
    left_out: &[],
    blanks: Blanks::Keep,
};

const NAMES: [&str; 5] = ["appId", "timeStamp", "nonceStr", "package", "signType"];

impl Starpos {
    /// The five signed names, and `paySign`.
    pub(super) fn page_parameters(&self, app_id: &str, prepay_id: &str, desk: &Desk<'_>) -> Fields {
        let values = [
            app_id,
            &desk.signing_now().to_text(),
            &nonce_text(desk.ambient),
            &format!("prepay_id={prepay_id}"),
            "MD5",
        ];
        let mut page = Fields::new();
        for (name, value) in NAMES.into_iter().zip(values) {
            put(&mut page, name, value);
        }
        let text = RULES.text(&page, self.wechat.key());
        // A digest under a key of any length cannot fail.
        let signature = self.wechat.sign(text.as_bytes(), desk.ambient).unwrap_or_default();
        put(&mut page, "paySign", &signature);
        page
    }

    /// Checks a page's parameters as WeChat does, and names the order.
    pub(super) fn order_of_page(&self, page: &[(&str, &str)], desk: &mut Desk<'_>) -> Result<String, PageRefused> {
        let need = |name: &'static str| {
            let found = page.iter().find(|(candidate, _)| *candidate == name);
            found
                .map(|(_, value)| *value)
                .filter(|value| !value.is_empty())
                .ok_or(PageRefused::Parameter(name))
        };
        let mut signed = Fields::new();
        for name in NAMES {
            put(&mut signed, name, need(name)?);
        }
        let text = RULES.text(&signed, self.wechat.key());
        self.wechat
            .verify(text.as_bytes(), need("paySign")?)
            .map_err(|_: SignatureError| PageRefused::Signature)?;
        let prepay_id = need("package")?
            .strip_prefix("prepay_id=")
            .ok_or(PageRefused::Parameter("package"))?;
        let now = desk.now();
        desk.book
            .by_detail(Platform::Starpos, orders::PREPAY_ID, prepay_id, now)
            // It closes when its prepay id expires.
            .filter(|order| order.state() != OrderState::Closed)
            .map(|order| order.order_no.clone())
            .ok_or(PageRefused::Expired)
    }
}
