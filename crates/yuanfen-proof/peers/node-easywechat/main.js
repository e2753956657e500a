'use strict';
// https://www.npmjs.com/package/node-easywechat, on axios: `http` takes any axios option, and axios reads HTTPS_PROXY.

const assert = require('node:assert/strict');
const { randomBytes } = require('node:crypto');
const https = require('node:https');
const { Pay, ServerRequest } = require('node-easywechat');
const Signature = require('node-easywechat/dist/Pay/Signature');
const { digest, walk } = require('../common/harness');

const UNCHECKED = 'it checks the signatures of notices, not those of answers';

/** The SDK's application, its client, and what it reads of a notice once its own validator agreed. */
function application(sandbox, options) {
  const { account } = sandbox;
  const app = new Pay({
    private_key: sandbox.path(account.merchant_private_key_path),
    certificate: sandbox.path(account.merchant_certificate_path),
    ...options,
    http: { baseURL: sandbox.baseUrl },
    // It keeps the platform's certificates in files for ten hours; another sandbox has others.
    file_cache: { path: sandbox.path('node-easywechat') },
  });
  return { app, client: app.getClient() };
}

/** What came back, where it is no error. */
const good = (response) => {
  assert.ok(response.isSuccessful(), `${response.getStatusCode()} ${response.toString()}`);
  return response;
};

const request = ({ headers, body }) => new ServerRequest('POST', '/notify', { ...headers }, body);

const v3 = (sandbox) => {
  const { account, variant } = sandbox;
  const certs = variant === 'public-key'
    ? { [account.platform_public_key_id]: sandbox.path(account.platform_public_key_path) }
    // Without them it fetches the platform's certificates.
    : {};
  const { app, client } = application(sandbox, {
    mch_id: account.mchid, secret_key: account.apiv3_key, platform_certs: certs,
  });
  const headers = variant === 'public-key' ? { 'Wechatpay-Serial': account.platform_public_key_id } : {};
  const call = async (method, url, rest = {}) =>
    good(await client.request(method, url, { ...rest, headers: { ...headers } })).toObject();
  return {
    unchecked: UNCHECKED,
    async create({ orderNo, total, description, notifyUrl }) {
      const made = await call('POST', '/v3/pay/transactions/jsapi', {
        data: {
          appid: account.appid,
          mchid: account.mchid,
          description,
          out_trade_no: orderNo,
          notify_url: notifyUrl,
          amount: { total, currency: 'CNY' },
          payer: { openid: account.openid },
        },
      });
      return made.prepay_id;
    },
    async query(orderNo) {
      const found = await call('GET', `/v3/pay/transactions/out-trade-no/${orderNo}`, { params: { mchid: account.mchid } });
      return { state: found.trade_state, total: found.amount?.total };
    },
    async readNotice(notice) {
      assert.ok(await app.getValidator().validate(request(notice)));
      app.setRequest(request(notice));
      const fact = (await app.getServer().getDecryptedMessage()).toObject();
      return {
        orderNo: fact.out_trade_no,
        total: fact.amount.total,
        refundNo: fact.out_refund_no,
        amount: fact.amount.refund,
        state: fact.refund_status ?? fact.trade_state,
      };
    },
    async refund({ orderNo, refundNo, total, amount, notifyUrl }) {
      await call('POST', '/v3/refund/domestic/refunds', {
        data: {
          out_trade_no: orderNo,
          out_refund_no: refundNo,
          notify_url: notifyUrl,
          amount: { refund: amount, total, currency: 'CNY' },
        },
      });
    },
    async queryRefund(refundNo) {
      const found = await call('GET', `/v3/refund/domestic/refunds/${refundNo}`);
      return { state: found.status, amount: found.amount.refund };
    },
    async close(orderNo) {
      await call('POST', `/v3/pay/transactions/out-trade-no/${orderNo}/close`, { data: { mchid: account.mchid } });
    },
    async bill({ kind, date, gzip }) {
      const told = await call('GET', kind === 'trade' ? '/v3/bill/tradebill' : '/v3/bill/fundflowbill', {
        params: { bill_date: date, ...(gzip ? { tar_type: 'GZIP' } : {}) },
      });
      const { pathname, searchParams } = new URL(told.download_url);
      const file = await client.request('GET', pathname, {
        params: Object.fromEntries(searchParams), responseType: 'arraybuffer',
      });
      return { bytes: Buffer.from(file.getContent()), hash: { type: told.hash_type, value: told.hash_value } };
    },
    async uploadImage({ filename, content }) {
      const { media_id: id } = good(await client.uploadMedia('/v3/merchant/media/upload', content, null, filename)).toObject();
      return id;
    },
    async signRequest({ method, target, timestamp, nonce, body }) {
      const header = new Signature(app.getMerchant()).createHeader(method, target, { data: body }, nonce, timestamp);
      return /signature="([^"]+)"/.exec(header)[1];
    },
    async signPayParameters({ appId, timeStamp, nonceStr, package: prepay }) {
      return app.getUtils().createSignature(`${appId}\n${timeStamp}\n${nonceStr}\n${prepay}\n`);
    },
  };
};

const v2 = (sandbox) => {
  const { account, mode } = sandbox;
  const { app, client } = application(sandbox, {
    mch_id: account.mch_id, secret_key: account.api_key, v2_secret_key: account.api_key,
  });
  // What demands the merchant's certificate gets it by axios' own option.
  const identity = () => (mode === 'plain' ? {} : {
    httpsAgent: new https.Agent({
      cert: sandbox.text(account.merchant_certificate_path),
      key: sandbox.text(account.merchant_private_key_path),
    }),
  });
  // It signs a nonce_str of its own and does not send it, so there must be one.
  const sent = (fields) => ({
    appid: account.appid, mch_id: account.mch_id, nonce_str: randomBytes(16).toString('hex'), ...fields,
  });
  const call = async (url, fields, rest = {}) => {
    const found = (await client.request('POST', url, { xml: sent(fields), ...rest })).toObject();
    assert.equal(`${found.return_code} ${found.result_code}`, 'SUCCESS SUCCESS', JSON.stringify(found));
    return found;
  };
  return {
    unchecked: UNCHECKED,
    async create({ orderNo, total, description, notifyUrl }) {
      const made = await call('/pay/unifiedorder', {
        body: description,
        out_trade_no: orderNo,
        total_fee: total,
        spbill_create_ip: '127.0.0.1',
        notify_url: notifyUrl,
        trade_type: 'JSAPI',
        openid: account.openid,
      });
      return made.prepay_id;
    },
    async query(orderNo) {
      const found = await call('/pay/orderquery', { out_trade_no: orderNo });
      return { state: found.trade_state, total: found.total_fee };
    },
    async readNotice(notice) {
      app.setRequest(request(notice));
      const message = await app.getServer().getDecryptedMessage();
      if (notice.about === 'refund') {
        // Refund notices have no signature; who can decrypt them holds the key.
        const { root: fact } = message.toObject();
        return { refundNo: fact.out_refund_no, amount: fact.refund_fee, state: fact.refund_status };
      }
      assert.ok(app.getValidator().validateV2(message));
      return { orderNo: message.out_trade_no, total: message.total_fee, state: message.result_code };
    },
    async refund({ orderNo, refundNo, total, amount, notifyUrl }) {
      await call('/secapi/pay/refund', {
        out_trade_no: orderNo,
        out_refund_no: refundNo,
        total_fee: total,
        refund_fee: amount,
        notify_url: notifyUrl,
      }, identity());
    },
    async queryRefund(refundNo) {
      const found = await call('/pay/refundquery', { out_refund_no: refundNo });
      return { state: found.refund_status_0, amount: found.refund_fee_0 };
    },
    async close(orderNo) { await call('/pay/closeorder', { out_trade_no: orderNo }); },
    async bill({ kind, date, gzip }) {
      const day = { bill_date: date.replaceAll('-', ''), ...(gzip ? { tar_type: 'GZIP' } : {}) };
      const trade = kind === 'trade';
      const file = await client.request('POST', trade ? '/pay/downloadbill' : '/pay/downloadfundflow', {
        xml: sent({ ...day, ...(trade ? { bill_type: 'ALL' } : { account_type: 'Basic', sign_type: 'HMAC-SHA256' }) }),
        responseType: 'arraybuffer',
        ...(trade ? {} : identity()),
      });
      const bytes = Buffer.from(file.getContent());
      if (trade) return { bytes, hash: null };
      return { bytes, hash: digest(file.getHeader('digest')) };
    },
    async signRequest({ xml }) {
      return app.getUtils().createV2Signature(await new ServerRequest('POST', '/', {}, xml).getParsedBody());
    },
    async signPayParameters(parameters) { return app.getUtils().createV2Signature(parameters); },
  };
};

walk('node-easywechat', { 'wechat-v2': v2, 'wechat-v3': v3 });
