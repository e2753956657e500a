'use strict';
// https://www.npmjs.com/package/wechatpay-node-v3. Its hosts are fixed. `createHttp` takes an HTTP service of one's own: here
// the SDK's own HTTP library, superagent, with superagent's options for another address or an agent.

const assert = require('node:assert/strict');
const { HttpsProxyAgent } = require('https-proxy-agent');
const superagent = require('superagent');
const WxPay = require('wechatpay-node-v3');
const { notOffered, walk } = require('../common/harness');

const HOST = 'https://api.mch.weixin.qq.com';

/** An `IPayRequest`: what the SDK wants sent, sent to the sandbox. */
function service(sandbox) {
  const send = (request) => {
    if (sandbox.mode === 'tls') request.connect({ '*': { host: '127.0.0.1', port: sandbox.tlsPort } });
    if (sandbox.mode === 'connect') request.agent(new HttpsProxyAgent(process.env.HTTPS_PROXY));
    return request.ok(() => true);
  };
  const to = (url) => (sandbox.mode === 'plain' ? url.replace(HOST, sandbox.account.base_url) : url);
  const answer = ({ status, body, text }) => (status < 400 ? { status, data: body } : { status, error: text });
  return {
    post: async (url, params, headers) => answer(await send(superagent.post(to(url)).send(params).set(headers))),
    get: async (url, headers) => {
      const file = url.includes('/v3/billdownload/');
      return answer(await send(superagent.get(to(url)).set(headers).responseType(file ? 'blob' : undefined)));
    },
    upload: async () => { throw new Error('nothing is uploaded here'); },
  };
}

const v3 = (sandbox) => {
  const { account } = sandbox;
  const pay = new WxPay({
    appid: account.appid,
    mchid: account.mchid,
    publicKey: sandbox.text(account.merchant_certificate_path),
    privateKey: sandbox.text(account.merchant_private_key_path),
    key: account.apiv3_key,
  });
  pay.createHttp(service(sandbox));
  const good = ({ status, data, error }) => {
    assert.ok(status < 300, `${status} ${error}`);
    return data;
  };
  return {
    unchecked: 'it checks the signatures of notices, not those of answers',
    async create({ orderNo, total, description, notifyUrl }) {
      return good(await pay.transactions_native({
        description, out_trade_no: orderNo, notify_url: notifyUrl, amount: { total, currency: 'CNY' },
      })).code_url;
    },
    async query(orderNo) {
      const found = good(await pay.query({ out_trade_no: orderNo }));
      return { state: found.trade_state, total: found.amount?.total };
    },
    async readNotice({ headers, body }) {
      const text = body.toString('utf8');
      // Fetches the platform's certificates by itself.
      assert.ok(await pay.verifySign({
        timestamp: headers['wechatpay-timestamp'],
        nonce: headers['wechatpay-nonce'],
        serial: headers['wechatpay-serial'],
        signature: headers['wechatpay-signature'],
        body: text,
      }), 'the signature');
      const { ciphertext, associated_data: aad, nonce } = JSON.parse(text).resource;
      const fact = pay.decipher_gcm(ciphertext, aad, nonce);
      return {
        orderNo: fact.out_trade_no,
        total: fact.amount.total,
        refundNo: fact.out_refund_no,
        amount: fact.amount.refund,
        state: fact.refund_status ?? fact.trade_state,
      };
    },
    async refund({ orderNo, refundNo, total, amount, notifyUrl }) {
      good(await pay.refunds({
        out_trade_no: orderNo,
        out_refund_no: refundNo,
        notify_url: notifyUrl,
        amount: { refund: amount, total, currency: 'CNY' },
      }));
    },
    async queryRefund(refundNo) {
      const found = good(await pay.find_refunds(refundNo));
      return { state: found.status, amount: found.amount.refund };
    },
    async close(orderNo) { good(await pay.close(orderNo)); },
    async bill({ kind, date, gzip }) {
      const params = { bill_date: date, ...(gzip ? { tar_type: 'GZIP' } : {}) };
      const told = good(await (kind === 'trade' ? pay.tradebill(params) : pay.fundflowbill(params)));
      // It signs an address whole unless it begins with the platform's host.
      const url = told.download_url.replace(sandbox.account.base_url, HOST);
      const bytes = Buffer.from(good(await pay.downloadBill(url)));
      return { bytes, hash: { type: told.hash_type, value: told.hash_value } };
    },
    async uploadImage() { notOffered('it sends pictures to an address without a host, as JSON'); },
    async signRequest({ method, target, timestamp, nonce, body }) {
      return pay.getSignature(method, nonce, timestamp, target, body);
    },
    async signPayParameters({ appId, timeStamp, nonceStr, package: prepay }) {
      return pay.sign(`${appId}\n${timeStamp}\n${nonceStr}\n${prepay}\n`);
    },
  };
};

walk('wechatpay-node-v3', { 'wechat-v3': v3 });
