'use strict';
// https://www.npmjs.com/package/tenpay. Its hosts are fixed; urllib, its HTTP library, goes through HTTPS_PROXY where
// URLLIB_ENABLE_PROXY is set and `proxy-agent` is installed. The merchant's certificate is a PKCS#12 file, opened with the
// merchant number.

const assert = require('node:assert/strict');
const { readFileSync } = require('node:fs');
const Payment = require('tenpay');
const { walk, notOffered } = require('../common/harness');

process.env.URLLIB_ENABLE_PROXY = 'true';

const v2 = (sandbox) => {
  const { account, variant } = sandbox;
  const api = new Payment({
    appid: account.appid,
    mchid: account.mch_id,
    partnerKey: account.api_key,
    pfx: readFileSync(sandbox.path(account.merchant_p12_path)),
    spbill_create_ip: '127.0.0.1',
  });
  const sign = { sign_type: variant === 'hmac-sha256' ? 'HMAC-SHA256' : 'MD5' };
  return {
    async create({ orderNo, total, description, notifyUrl }) {
      const made = await api.unifiedOrder({
        ...sign, body: description, out_trade_no: orderNo, total_fee: total, notify_url: notifyUrl, openid: account.openid,
      });
      return made.prepay_id;
    },
    async query(orderNo) {
      const found = await api.orderQuery({ ...sign, out_trade_no: orderNo });
      return { state: found.trade_state, total: found.total_fee };
    },
    async readNotice({ about, body }) {
      // The SDK's middleware for Koa, with what a body parser gives it.
      const context = { request: { body: body.toString('utf8') } };
      let taken = false;
      await api.middleware(about)(context, async () => { taken = true; });
      assert.ok(taken, `refused with ${context.body}`);
      const fact = context.request.weixin;
      if (about === 'refund') {
        const { out_refund_no: refundNo, refund_fee: amount, refund_status: state } = fact.req_info;
        return { refundNo, amount, state };
      }
      return { orderNo: fact.out_trade_no, total: fact.total_fee, state: fact.result_code };
    },
    async refund({ orderNo, refundNo, total, amount, notifyUrl }) {
      await api.refund({
        ...sign, out_trade_no: orderNo, out_refund_no: refundNo, total_fee: total, refund_fee: amount, notify_url: notifyUrl,
      });
    },
    async queryRefund(refundNo) {
      const found = await api.refundQuery({ ...sign, out_refund_no: refundNo });
      return { state: found.refund_status_0, amount: found.refund_fee_0 };
    },
    async close(orderNo) { await api.closeOrder({ ...sign, out_trade_no: orderNo }); },
    async bill({ kind, date, gzip }) {
      if (gzip) notOffered('it reads every answer as text, which a gzip file does not survive');
      const day = { bill_date: date.replaceAll('-', '') };
      const text = await (kind === 'trade' ? api.downloadBill({ ...sign, ...day }) : api.downloadFundflow(day));
      // Text only: the Digest header of a fund-flow bill is not handed out.
      return { bytes: Buffer.from(text), hash: null };
    },
    async signRequest() { notOffered('it has no public function that signs'); },
    async signPayParameters() { notOffered('it signs pay parameters with a time and nonce of its own alone'); },
  };
};

walk('tenpay', { 'wechat-v2': v2 });
