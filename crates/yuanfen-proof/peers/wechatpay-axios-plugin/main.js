'use strict';
// https://www.npmjs.com/package/wechatpay-axios-plugin, an axios with signatures. It takes any axios option: `baseURL` for
// the plain and the TLS port; axios reads HTTPS_PROXY by itself.

const assert = require('node:assert/strict');
const { Aes, Formatter, Hash, Multipart, Rsa, Transformer, Wechatpay } = require('wechatpay-axios-plugin');
const { digest, walk } = require('../common/harness');

const v3 = (sandbox) => {
  const { account, variant } = sandbox;
  const [id, key] = variant === 'public-key'
    ? [account.platform_public_key_id, account.platform_public_key_path]
    : [account.platform_serial, account.platform_certificate_path];
  const privateKey = Rsa.from(sandbox.text(account.merchant_private_key_path), Rsa.KEY_TYPE_PRIVATE);
  const certs = { [id]: Rsa.from(sandbox.text(key), Rsa.KEY_TYPE_PUBLIC) };
  const { v3: api } = new Wechatpay({
    mchid: account.mchid,
    serial: account.merchant_serial,
    privateKey,
    certs,
    baseURL: sandbox.baseUrl,
    headers: { 'Wechatpay-Serial': id },
  });
  return {
    async create({ orderNo, total, description, notifyUrl }) {
      const { data } = await api.pay.transactions.native.post({
        appid: account.appid,
        mchid: account.mchid,
        description,
        out_trade_no: orderNo,
        notify_url: notifyUrl,
        amount: { total, currency: 'CNY' },
      });
      return data.code_url;
    },
    async query(orderNo) {
      const { data } = await api.pay.transactions.outTradeNo._out_trade_no_
        .get({ params: { mchid: account.mchid }, out_trade_no: orderNo });
      return { state: data.trade_state, total: data.amount?.total };
    },
    async readNotice({ headers, body }) {
      const text = body.toString('utf8');
      const [timestamp, nonce, signature, serial] = ['timestamp', 'nonce', 'signature', 'serial']
        .map((name) => headers[`wechatpay-${name}`]);
      assert.ok(certs[serial], `the notice is signed with ${serial}`);
      assert.ok(Rsa.verify(Formatter.response(timestamp, nonce, text), signature, certs[serial]), 'the signature');
      const { ciphertext, nonce: iv, associated_data: aad } = JSON.parse(text).resource;
      const fact = JSON.parse(Aes.AesGcm.decrypt(ciphertext, account.apiv3_key, iv, aad));
      return {
        orderNo: fact.out_trade_no,
        total: fact.amount.total,
        refundNo: fact.out_refund_no,
        amount: fact.amount.refund,
        state: fact.refund_status ?? fact.trade_state,
      };
    },
    async refund({ orderNo, refundNo, total, amount, notifyUrl }) {
      await api.refund.domestic.refunds.post({
        out_trade_no: orderNo,
        out_refund_no: refundNo,
        notify_url: notifyUrl,
        amount: { refund: amount, total, currency: 'CNY' },
      });
    },
    async queryRefund(refundNo) {
      const { data } = await api.refund.domestic.refunds._out_refund_no_.get({ out_refund_no: refundNo });
      return { state: data.status, amount: data.amount.refund };
    },
    async close(orderNo) {
      await api.pay.transactions.outTradeNo._out_trade_no_.close
        .post({ mchid: account.mchid }, { out_trade_no: orderNo });
    },
    async bill({ kind, date, gzip }) {
      const ask = kind === 'trade' ? api.bill.tradebill : api.bill.fundflowbill;
      const { data: { download_url: url, hash_type: type, hash_value: value } } = await ask
        .get({ params: { bill_date: date, ...(gzip ? { tar_type: 'GZIP' } : {}) } });
      const { data } = await api.billdownload.file
        .get({ params: Object.fromEntries(new URL(url).searchParams), responseType: 'arraybuffer' });
      return { bytes: data, hash: { type, value } };
    },
    async uploadImage({ filename, content }) {
      const form = new Multipart();
      form.append('meta', JSON.stringify({ filename, sha256: Hash.sha256(content) }));
      form.append('file', content, filename);
      const { data } = await api.merchant.media.upload.post(form.getBuffer(), {
        meta: form.toJSON(), headers: form.getHeaders(),
      });
      return data.media_id;
    },
    async signRequest({ method, target, timestamp, nonce, body }) {
      return Rsa.sign(Formatter.request(method, target, timestamp, nonce, body), privateKey);
    },
    async signPayParameters({ appId, timeStamp, nonceStr, package: prepay }) {
      return Rsa.sign(Formatter.joinedByLineFeed(appId, timeStamp, nonceStr, prepay), privateKey);
    },
  };
};

const v2 = (sandbox) => {
  const { account, variant } = sandbox;
  const { v2: api } = new Wechatpay({
    mchid: account.mch_id,
    secret: account.api_key,
    merchant: {
      cert: sandbox.text(account.merchant_certificate_path),
      key: sandbox.text(account.merchant_private_key_path),
    },
    baseURL: sandbox.baseUrl,
    // The constructor wants version 3's as well.
    serial: 'any',
    privateKey: Rsa.from(sandbox.text(account.merchant_private_key_path), Rsa.KEY_TYPE_PRIVATE),
    certs: { other: Rsa.from(sandbox.text(account.merchant_certificate_path), Rsa.KEY_TYPE_PUBLIC) },
  });
  const signType = variant === 'hmac-sha256' ? Hash.ALGO_HMAC_SHA256 : Hash.ALGO_MD5;
  const secret = Hash.keyObjectFrom(Buffer.from(account.api_key));
  const sent = (fields) => ({ appid: account.appid, mch_id: account.mch_id, sign_type: signType, ...fields });
  return {
    async create({ orderNo, total, description, notifyUrl }) {
      const { data } = await api.pay.unifiedorder(sent({
        body: description,
        out_trade_no: orderNo,
        total_fee: total,
        spbill_create_ip: '127.0.0.1',
        notify_url: notifyUrl,
        trade_type: 'NATIVE',
        product_id: 'noodles',
      }));
      return data.code_url;
    },
    async query(orderNo) {
      const { data } = await api.pay.orderquery(sent({ out_trade_no: orderNo }));
      return { state: data.trade_state, total: data.total_fee };
    },
    async readNotice({ about, body }) {
      const fields = Transformer.toObject(body.toString('utf8'));
      if (about === 'refund') {
        // Refund notices have no signature; who can decrypt them holds the key.
        const key = Hash.keyObjectFrom(Buffer.from(Hash.md5(account.api_key)));
        const fact = Transformer.toObject(Aes.AesEcb.decrypt(fields.req_info, key));
        return { refundNo: fact.out_refund_no, amount: fact.refund_fee, state: fact.refund_status };
      }
      assert.ok(Hash.equals(Hash.sign(signType, fields, secret), fields.sign), 'the signature');
      return { orderNo: fields.out_trade_no, total: fields.total_fee, state: fields.result_code };
    },
    async refund({ orderNo, refundNo, total, amount, notifyUrl }) {
      await api.secapi.pay.refund(sent({
        out_trade_no: orderNo,
        out_refund_no: refundNo,
        total_fee: total,
        refund_fee: amount,
        notify_url: notifyUrl,
      }), { security: true });
    },
    async queryRefund(refundNo) {
      const { data } = await api.pay.refundquery(sent({ out_refund_no: refundNo }));
      return { state: data.refund_status_0, amount: data.refund_fee_0 };
    },
    async close(orderNo) { await api.pay.closeorder(sent({ out_trade_no: orderNo })); },
    async bill({ kind, date, gzip }) {
      const day = { bill_date: date.replaceAll('-', ''), ...(gzip ? { tar_type: 'GZIP' } : {}) };
      const raw = { responseType: 'arraybuffer', transformResponse: [] };
      if (kind === 'trade') {
        const { data } = await api.pay.downloadbill(sent({ ...day, bill_type: 'ALL' }), raw);
        return { bytes: data, hash: null };
      }
      const { data, headers } = await api.pay.downloadfundflow(
        sent({ ...day, account_type: 'Basic', sign_type: Hash.ALGO_HMAC_SHA256 }),
        { ...raw, security: true },
      );
      return { bytes: data, hash: digest(headers.digest) };
    },
    async signRequest({ xml }) { return Hash.sign(signType, Transformer.toObject(xml), secret); },
    async signPayParameters(parameters) { return Hash.sign(signType, parameters, secret); },
  };
};

walk('wechatpay-axios-plugin', { 'wechat-v2': v2, 'wechat-v3': v3 });
