'use strict';
// The walk that every peer on Node.js takes, and what stands around it: credentials, hooks, the shop's listener, one JSON
// line for each step. `../README.md` has the contract; `harness.py` is the same for Python.

const assert = require('node:assert/strict');
const { createHash, randomBytes } = require('node:crypto');
const { readFileSync } = require('node:fs');
const http = require('node:http');
const { dirname, resolve } = require('node:path');
const { gunzipSync } = require('node:zlib');

const TOTAL = 990;
const REFUND = 330;
const NOTICE_WAIT_MS = 15_000;

/** What an SDK cannot do. It is listed with its reason, and neither passes nor fails. */
class NotOffered extends Error {}
const notOffered = (reason) => { throw new NotOffered(reason); };

/** Where the sandbox is and what it gave out. */
class Sandbox {
  constructor() {
    const path = process.env.PEER_CREDENTIALS;
    this.folder = dirname(resolve(path));
    this.credentials = JSON.parse(readFileSync(path, 'utf8'));
    this.route = process.env.PEER_ROUTE;
    this.mode = process.env.PEER_MODE;
    this.variant = process.env.PEER_VARIANT;
    const section = this.route.replaceAll('-', '_');
    this.account = this.credentials[section];
    const emitted = JSON.parse(readFileSync(process.env.PEER_EMITTED, 'utf8'))[section];
    this.emitted = emitted[this.variant] ?? emitted;
  }

  /** The path of a file that `credentials.json` names. */
  path(name) { return resolve(this.folder, name); }

  /** The text of such a file. */
  text(name) { return readFileSync(this.path(name), 'utf8'); }

  /** Where an SDK with a base address is pointed at: the plain port, the TLS port, or nowhere else than it would go. */
  get baseUrl() {
    switch (this.mode) {
      case 'plain': return this.account.base_url;
      case 'tls': return `https://localhost:${this.tlsPort}`;
      default: return 'https://api.mch.weixin.qq.com';
    }
  }

  get tlsPort() { return Number(this.credentials.tls.listen.split(':').pop()); }

  /** Calls a hook of `credentials.json` with its blanks filled in. */
  async hook(name, values) {
    const { method, url, headers, json } = this.credentials.admin[name];
    const filled = (text) => text.replace(/\{(\w+)\}/g, (blank, key) => values[key] ?? blank);
    const body = json && Object.fromEntries(Object.entries(json).map(([key, value]) => {
      const whole = typeof value === 'string' && /^\{(\w+)\}$/.exec(value);
      if (whole) return [key, values[whole[1]] ?? value];
      return [key, typeof value === 'string' ? filled(value) : value];
    }));
    return this.admin(method, filled(url), body, headers);
  }

  async admin(method, url, json, headers = {}) {
    const response = await fetch(new URL(url, this.credentials.admin.url), {
      method,
      headers: { 'Content-Type': 'application/json', ...headers },
      body: json && JSON.stringify(json),
    });
    const text = await response.text();
    assert.ok(response.ok, `the sandbox's ${method} ${url} says ${response.status} ${text}`);
    return JSON.parse(text || 'null');
  }

  settle(hook, values) { return this.hook(`${hook}_${this.route === 'wechat-v2' ? 'v2' : 'v3'}`, values); }

  /** The day on the platform's clock, on which bills are asked for. */
  async today() { return (await this.admin('GET', '/api/state')).now.slice(0, 10); }
}

/** The shop's listener. A notice is read by the SDK before it is answered, as in life. */
class Shop {
  constructor(adapter) {
    this.adapter = adapter;
    this.notices = new Map();
    this.waiting = new Map();
    this.server = http.createServer((request, response) => this.receive(request, response));
  }

  async open() {
    await new Promise((done) => { this.server.listen(0, '127.0.0.1', done); });
    this.url = `http://127.0.0.1:${this.server.address().port}`;
  }

  close() { this.server.close(); this.server.closeAllConnections(); }

  async receive(request, response) {
    const parts = [];
    for await (const part of request) parts.push(part);
    const about = request.url.slice(1);
    const notice = { about, headers: request.headers, body: Buffer.concat(parts) };
    try {
      notice.read = await this.adapter.readNotice(notice);
    } catch (error) {
      notice.error = error;
    }
    const xml = process.env.PEER_ROUTE === 'wechat-v2';
    const word = notice.error ? 'FAIL' : 'SUCCESS';
    response.writeHead(notice.error && !xml ? 500 : 200, { 'content-type': xml ? 'text/xml' : 'application/json' });
    response.end(xml
      ? `<xml><return_code><![CDATA[${word}]]></return_code></xml>`
      : JSON.stringify({ code: word, message: '' }));
    // Later attempts of a notice that was refused do not cover up the first.
    if (!this.notices.has(about)) this.notices.set(about, notice);
    this.waiting.get(about)?.();
  }

  async notice(about) {
    if (!this.notices.has(about)) {
      await new Promise((done, failed) => {
        const late = setTimeout(() => failed(new Error(`no notice came within ${NOTICE_WAIT_MS} ms`)), NOTICE_WAIT_MS);
        this.waiting.set(about, () => { clearTimeout(late); done(); });
      });
    }
    const notice = this.notices.get(about);
    if (notice.error) throw notice.error;
    return notice;
  }
}

/** A request of our client: what it is signed over, and its signature. On version 2 that is the XML alone. */
function taken(request) {
  if (typeof request === 'string') {
    return { xml: request, signature: /<sign>(?:<!\[CDATA\[)?([0-9A-F]+)/.exec(request)[1] };
  }
  const fields = Object.fromEntries([...request.authorization.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]));
  return { ...request, nonce: fields.nonce_str, timestamp: fields.timestamp, signature: fields.signature };
}

/** The same notice with one character of what is signed changed. */
function forged({ headers, body, about }) {
  const text = body.toString('utf8');
  const changed = text.includes('"ciphertext"')
    ? text.replace(/("ciphertext":\s*")(.)/, (_, head, first) => head + (first === 'A' ? 'B' : 'A'))
    : text.replace(/(<total_fee>(?:<!\[CDATA\[)?)(\d)/, (_, head, first) => head + (first === '9' ? '8' : '9'));
  assert.notEqual(changed, text, 'the notice has nothing to change');
  return { about, headers, body: Buffer.from(changed) };
}

function say(peer, sandbox, step, ok, detail) {
  const line = {
    peer: peer.name,
    version: peer.version,
    route: sandbox.route,
    mode: sandbox.mode,
    variant: sandbox.variant,
    step,
    ok,
    detail,
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function words(error) {
  const data = error.response?.data;
  const more = data === undefined ? '' : ` ${Buffer.isBuffer(data) ? data.toString() : JSON.stringify(data)}`;
  return `${error.message}${more}`.slice(0, 600);
}

/**
 * Takes the walk with one SDK.
 *
 * `adapters` has a function for each route that the SDK speaks; it takes the sandbox and gives an adapter.
 */
async function walk(name, adapters) {
  const { version } = JSON.parse(readFileSync(resolve(process.cwd(), 'node_modules', name, 'package.json'), 'utf8'));
  const peer = { name, version };
  const sandbox = new Sandbox();
  const adapter = await adapters[sandbox.route](sandbox);
  const shop = new Shop(adapter);
  await shop.open();
  const seed = randomBytes(8).toString('hex');
  const [orderNo, otherNo, refundNo] = [`peer${seed}a`, `peer${seed}b`, `peer${seed}r`];
  const order = (no) => ({ orderNo: no, total: TOTAL, description: '面条 & "tea" <a>', notifyUrl: `${shop.url}/pay` });

  const step = async (title, act) => {
    let [ok, detail] = [true, ''];
    try {
      detail = await act() ?? '';
    } catch (error) {
      [ok, detail] = [error instanceof NotOffered ? null : false, words(error)];
    }
    say(peer, sandbox, title, ok, detail);
    return ok;
  };
  const expectOrder = async (no, state) => {
    const found = await adapter.query(no);
    assert.equal(found.state, state);
    if (found.total !== undefined) assert.equal(Number(found.total), TOTAL);
    return `${no} is ${found.state}`;
  };

  await step('create', async () => {
    const made = await adapter.create(order(orderNo));
    assert.match(made, /^(weixin:\/\/|wx|prepay)/, 'neither a code_url nor a prepay_id');
    return made;
  });
  await step('query-unpaid', () => expectOrder(orderNo, 'NOTPAY'));
  const paid = await step('pay', async () => {
    const mchid = sandbox.account.mchid ?? sandbox.account.mch_id;
    await sandbox.settle('pay', { out_trade_no: orderNo, total: TOTAL, mchid });
    return 'by the hook of credentials.json';
  });
  await step('query-paid', () => expectOrder(orderNo, 'SUCCESS'));
  await step('forged-answer', async () => {
    if (adapter.unchecked) notOffered(adapter.unchecked);
    await sandbox.admin('PUT', '/api/faults', [
      { kind: 'corrupt-signature', platform: sandbox.route, operation: 'query-order', order_no: orderNo },
    ]);
    let found;
    try {
      found = await adapter.query(orderNo);
    } catch (error) {
      return `refused by the SDK: ${words(error)}`;
    } finally {
      await sandbox.admin('PUT', '/api/faults', []);
    }
    throw new Error(`the SDK took a forged answer: ${JSON.stringify(found)}`);
  });
  await step('pay-notice', async () => {
    assert.ok(paid, 'the order was not paid');
    const { read } = await shop.notice('pay');
    assert.equal(read.orderNo, orderNo);
    assert.equal(Number(read.total), TOTAL);
    return 'verified and read by the SDK';
  });
  await step('forged-notice', async () => {
    const real = shop.notices.get('pay');
    assert.ok(real && !real.error, 'there was no good notice to forge one of');
    const notice = forged(real);
    let read;
    try {
      read = await adapter.readNotice(notice);
    } catch (error) {
      if (error instanceof NotOffered) throw error;
      return `refused by the SDK: ${words(error)}`;
    }
    throw new Error(`the SDK took a forged notice: ${JSON.stringify(read)}`);
  });
  const refunded = await step('refund', async () => {
    await adapter.refund({ orderNo, refundNo, total: TOTAL, amount: REFUND, notifyUrl: `${shop.url}/refund` });
    await sandbox.settle('settle_refund', { out_refund_no: refundNo });
    return `${REFUND} of ${TOTAL} fen`;
  });
  await step('refund-notice', async () => {
    if (refunded === null) notOffered('it places no refunds');
    assert.ok(refunded, 'nothing was refunded');
    const { read } = await shop.notice('refund');
    assert.equal(read.refundNo, refundNo);
    assert.equal(Number(read.amount), REFUND);
    assert.equal(read.state, 'SUCCESS');
    return 'verified and read by the SDK';
  });
  await step('query-refund', async () => {
    const found = await adapter.queryRefund(refundNo);
    assert.equal(found.state, 'SUCCESS');
    assert.equal(Number(found.amount), REFUND);
    return `${refundNo} is ${found.state}`;
  });
  await step('close', async () => {
    await adapter.create(order(otherNo));
    await adapter.close(otherNo);
    return expectOrder(otherNo, 'CLOSED');
  });
  // Bills of today are made at once; in life they come tomorrow.
  let made;
  const billDay = async () => {
    const date = await sandbox.today();
    await sandbox.admin('POST', '/api/bills', { date });
    return date;
  };
  for (const kind of ['trade', 'fund-flow']) {
    for (const gzip of [false, true]) {
      await step(`${kind}-bill${gzip ? '-gzip' : ''}`, async () => {
        made ??= billDay();
        const { bytes, hash } = await adapter.bill({ kind, date: await made, gzip });
        if (gzip) assert.equal(bytes.subarray(0, 2).toString('hex'), '1f8b', 'not compressed');
        const plain = gzip ? gunzipSync(bytes) : bytes;
        assert.ok(plain.includes(orderNo) || plain.includes(refundNo), 'the bill lacks the order');
        if (hash === null) return `${plain.length} bytes; this bill has no hash on the wire`;
        const computed = createHash(hash.type).update(plain).digest('hex');
        assert.equal(hash.value.toLowerCase(), computed);
        return `${plain.length} bytes, ${hash.type} holds`;
      });
    }
  }
  if (sandbox.route === 'wechat-v3') {
    await step('upload-image', async () => {
      const id = await adapter.uploadImage({ filename: 'noodles.png', content: Buffer.from('89504e470d0a1a0a', 'hex') });
      assert.match(id, /^\w+$/);
      return 'taken, and the answer read';
    });
  }
  await step('our-requests', async () => {
    for (const request of sandbox.emitted.requests.map(taken)) {
      assert.equal(await adapter.signRequest(request), request.signature);
    }
    return 'signed again by the SDK, with the same signatures';
  });
  await step('our-pay-parameters', async () => {
    const { paySign, ...parameters } = sandbox.emitted.pay_parameters;
    assert.equal(await adapter.signPayParameters(parameters), paySign);
    return 'signed again by the SDK, with the same signature';
  });
  shop.close();
}

/** What a `Digest` header of version 2 says: `SHA=…`, which is SHA-1. */
function digest(header) {
  const [, value] = /^SHA=([0-9a-fA-F]+)$/.exec(header);
  return { type: 'SHA1', value };
}

module.exports = { walk, notOffered, digest };
