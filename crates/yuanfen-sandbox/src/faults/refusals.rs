//! The codes that platforms refuse with, and their words: what `refuse=CODE` can say.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Platform;

/// A code that at least one platform refuses with, in its own spelling: `NOTENOUGH` on WeChat Pay v2, `NOT_ENOUGH` on
/// APIv3, `-221` on fshows. The same text may be a code of several platforms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RefusalCode(&'static str);

/// A text that is no platform's code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no platform refuses with `{given}`; known are {}", listed())]
#[non_exhaustive]
pub struct RefusalCodeError {
    /// What was given.
    pub given: String,
}

/// What a platform says with a code.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) code: &'static str,
    pub(crate) words: &'static str,
    /// The HTTP status, which APIv3 alone uses.
    pub(crate) status: u16,
    /// What `Request-ID` ends with on APIv3 (section 10.3 of its sheet); 0 where no such number is known.
    pub(crate) number: u32,
}

impl RefusalCode {
    /// The code as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// The codes that a platform is known to refuse with.
    pub fn of(platform: Platform) -> impl Iterator<Item = Self> {
        table(platform).iter().map(|row| Self(row.code))
    }

    /// Whether that platform refuses with it.
    #[must_use]
    pub fn is_of(self, platform: Platform) -> bool {
        self.words(platform).is_some()
    }

    pub(crate) fn words(self, platform: Platform) -> Option<&'static Words> {
        table(platform).iter().find(|row| row.code == self.0)
    }
}

impl fmt::Display for RefusalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl FromStr for RefusalCode {
    type Err = RefusalCodeError;

    fn from_str(text: &str) -> Result<Self, RefusalCodeError> {
        let mut rows = Platform::ALL.iter().flat_map(|platform| table(*platform));
        rows.find(|row| row.code == text)
            .map(|row| Self(row.code))
            .ok_or_else(|| RefusalCodeError { given: text.to_owned() })
    }
}

impl Serialize for RefusalCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for RefusalCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// All known codes, by platform.
fn listed() -> String {
    let platforms = Platform::ALL.iter().map(|platform| {
        let codes: Vec<&str> = table(*platform).iter().map(|row| row.code).collect();
        format!("on {platform} {}", codes.join(", "))
    });
    platforms.collect::<Vec<_>>().join("; ")
}

const fn table(platform: Platform) -> &'static [Words] {
    match platform {
        Platform::WechatV2 => WECHAT_V2,
        Platform::WechatV3 => WECHAT_V3,
        Platform::Starpos => STARPOS,
        Platform::Fshows => FSHOWS,
        Platform::Mpgateway => MPGATEWAY,
    }
}

const fn row(code: &'static str, words: &'static str) -> Words {
    v3(200, code, words, 0)
}

const fn v3(status: u16, code: &'static str, words: &'static str, number: u32) -> Words {
    Words {
        code,
        words,
        status,
        number,
    }
}

/// `err_code` and its description: section 9 of the sheet, in the words of the vendor's tables of codes.
const WECHAT_V2: &[Words] = &[
    row("SYSTEMERROR", "系统错误"),
    row("BANKERROR", "银行系统异常"),
    row("BIZERR_NEED_RETRY", "退款业务流程错误，需要商户触发重试来解决"),
    row("FREQUENCY_LIMITED", "频率限制"),
    row("INVALID_REQ_TOO_MUCH", "无效请求过多"),
    row("NOTENOUGH", "余额不足"),
    row("USER_ACCOUNT_ABNORMAL", "退款请求失败"),
    row("TRADE_OVERDUE", "订单已经超过退款期限"),
    row("TRADE_STATE_ERROR", "订单状态错误"),
    row("TRADE_ERROR", "交易错误"),
    row("ERROR", "业务错误"),
    row("USERPAYING", "用户支付中，需要输入密码"),
    row("ORDERPAID", "该订单已支付"),
    row("ORDERCLOSED", "订单已关闭"),
    row("ORDERREVERSED", "订单已撤销"),
    row("ORDERNOTEXIST", "此交易订单号不存在"),
    row("REFUNDNOTEXIST", "退款订单查询失败"),
    row("OUT_TRADE_NO_USED", "商户订单号重复"),
    row("REVERSE_EXPIRE", "订单无法撤销"),
    row("AUTHCODEEXPIRE", "二维码已过期，请用户在微信上刷新后再试"),
    row("AUTH_CODE_ERROR", "授权码参数错误"),
    row("AUTH_CODE_INVALID", "授权码检验错误"),
    row("NOTSUPORTCARD", "不支持卡类型"),
    row("BUYER_MISMATCH", "支付帐号错误"),
    row("INVALID_TRANSACTIONID", "无效transaction_id"),
    row("INVALID_REQUEST", "无效请求"),
    row("NOAUTH", "商户无此接口权限"),
    row("APPID_NOT_EXIST", "APPID不存在"),
    row("MCHID_NOT_EXIST", "MCHID不存在"),
    row("APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配"),
    row("LACK_PARAMS", "缺少参数"),
    row("PARAM_ERROR", "参数错误"),
    row("SIGNERROR", "签名错误"),
    row("XML_FORMAT_ERROR", "XML格式错误"),
    row("REQUIRE_POST_METHOD", "请使用post方法"),
    row("POST_DATA_EMPTY", "post数据为空"),
    row("NOT_UTF8", "编码格式错误"),
    row("BILL_CREATING", "账单生成中"),
    row("NO_BILL_EXIST", "账单不存在"),
];

/// `code` with its status: sections 10.2, 13.5 and 17.3 of the sheet. Where a code is known with two, the first.
const WECHAT_V3: &[Words] = &[
    v3(400, "PARAM_ERROR", "参数错误", 268_435_461),
    v3(400, "INVALID_REQUEST", "无效请求", 0),
    v3(400, "APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配", 268_445_527),
    v3(400, "MCH_NOT_EXISTS", "商户号不存在", 0),
    v3(400, "ORDER_CLOSED", "订单已关闭", 268_447_914),
    v3(400, "ORDER_PAID", "订单已支付", 268_449_538),
    v3(400, "NO_STATEMENT_EXIST", "账单文件不存在", 0),
    v3(400, "STATEMENT_CREATING", "账单生成中", 0),
    v3(400, "REFUND_FEE_MISMATCH", "退款金额不一致", 0),
    v3(400, "TRADE_OVERDUE", "订单已经超过可退款的最大期限", 0),
    v3(401, "SIGN_ERROR", "签名错误", 268_443_699),
    v3(403, "NO_AUTH", "商户无权限", 0),
    v3(403, "OUT_TRADE_NO_USED", "商户订单号重复", 0),
    v3(403, "RULE_LIMIT", "业务规则限制", 0),
    v3(403, "TRADE_ERROR", "交易错误", 0),
    v3(403, "NOT_ENOUGH", "余额不足", 0),
    v3(403, "USER_ACCOUNT_ABNORMAL", "用户账户异常", 0),
    v3(403, "ACCOUNT_ERROR", "账号异常", 0),
    v3(404, "ORDER_NOT_EXIST", "订单不存在", 268_512_771),
    v3(404, "RESOURCE_NOT_EXISTS", "查询的资源不存在", 0),
    v3(429, "FREQUENCY_LIMITED", "频率超限", 268_447_840),
    v3(429, "RATELIMIT_EXCEEDED", "频率超限", 268_447_840),
    v3(500, "SYSTEM_ERROR", "系统错误", 0),
    v3(500, "BANK_ERROR", "银行系统异常", 0),
    v3(500, "OPENID_MISMATCH", "openid和appid不匹配", 0),
    v3(500, "INVALID_TRANSACTIONID", "订单号非法", 0),
    v3(503, "SERVICE_UNAVAILABLE", "服务不可用", 0),
];

/// `returnCode`: nothing but `000000` is published (section 7.3 of the sheet), so these are the sandbox's own.
const STARPOS: &[Words] = &[
    row("900001", "验签失败"),
    row("900002", "参数错误"),
    row("900003", "商户或终端不存在"),
    row("900004", "原交易不存在"),
    row("900005", "交易流水号重复"),
    row("900006", "授权码无效或已使用"),
    row("999999", "系统异常"),
];

/// `error_code`: section 12 of the sheet.
const FSHOWS: &[Words] = &[
    row("100", "用户正在支付中"),
    row("-100", "无效签名"),
    row("-101", "无效参数"),
    row("-102", "权限不足"),
    row("-103", "通用错误"),
    row("-104", "登录失效"),
    row("-200", "服务器异常"),
    row("-201", "清算方无效"),
    row("-202", "商户无效"),
    row("-203", "子商户号无效"),
    row("-204", "门店无效"),
    row("-205", "渠道号无效"),
    row("-206", "重复订单号"),
    row("-207", "订单不存在"),
    row("-208", "支付平台无效"),
    row("-216", "余额不足"),
    row("-220", "无效操作"),
    row("-221", "请求过于频繁"),
    row("-222", "支付类型错误"),
    row("-223", "解析错误"),
    row("-224", "配置不存在"),
    row("-300", "平台方错误"),
    row("-301", "支付失败"),
    row("-302", "退款失败"),
];

/// `respcode`: section 11 of the sheet has `90` and `45`, the others are the sandbox's own.
const MPGATEWAY: &[Words] = &[
    row("90", "请求参数错误"),
    row("91", "订单号重复"),
    row("92", "订单不存在"),
    row("93", "订单已支付，不能撤销"),
    row("45", "超过限额"),
    row("99", "系统异常"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_platform_has_a_code_twice() {
        for platform in Platform::ALL {
            let codes: BTreeSet<RefusalCode> = RefusalCode::of(*platform).collect();
            assert_eq!(codes.len(), table(*platform).len(), "{platform}");
        }
    }

    #[test]
    fn an_unknown_code_is_answered_with_the_known_ones() {
        let error = "NOMONEY".parse::<RefusalCode>().unwrap_err().to_string();
        assert!(error.starts_with("no platform refuses with `NOMONEY`; known are on wechat-v2 SYSTEMERROR, "));
        assert!(error.contains("; on fshows 100, -100, "), "{error}");
    }
}
