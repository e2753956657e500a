// Amounts and moments as text. Amounts are whole fen and are never divided: the point is set between the digits.

/** `1234567` fen as `¥12,345.67`. */
export function yuan(fen) {
  if (!Number.isSafeInteger(fen)) return "–";
  const digits = String(fen).replace("-", "").padStart(3, "0");
  const whole = digits.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ",");
  return `${fen < 0 ? "−" : ""}¥${whole}.${digits.slice(-2)}`;
}

const BEIJING = new Intl.DateTimeFormat("en-CA", {
  timeZone: "Asia/Shanghai", hourCycle: "h23",
  year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
});

/** A moment in Beijing's time, in parts: `{ date: "2026-11-22", time: "10:00:00" }`. */
export function beijing(moment) {
  const date = moment instanceof Date ? moment : new Date(moment);
  if (Number.isNaN(date.getTime())) return { date: "", time: String(moment ?? "") };
  const part = Object.fromEntries(BEIJING.formatToParts(date).map(({ type, value }) => [type, value]));
  return { date: `${part.year}-${part.month}-${part.day}`, time: `${part.hour}:${part.minute}:${part.second}` };
}

/** Seconds as `2 d 3 h 5 min 7 s`, without the parts that are zero. */
export function duration(seconds) {
  const rest = Math.abs(seconds);
  const parts = [
    [Math.trunc(rest / 86400), "d"], [Math.trunc(rest / 3600) % 24, "h"],
    [Math.trunc(rest / 60) % 60, "min"], [Math.trunc(rest) % 60, "s"],
  ];
  const text = parts.filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}`).join(" ");
  return text === "" ? "0 s" : `${seconds < 0 ? "−" : ""}${text}`;
}

/** JSON and XML with line breaks and indents for reading; `null` for what is neither. */
export function pretty(text, type = "") {
  const trimmed = text.trim();
  if (trimmed.startsWith("{") || trimmed.startsWith("[")) return prettyJson(trimmed);
  if (trimmed.startsWith("<") && !type.includes("html")) return prettyXml(trimmed);
  if (type.includes("x-www-form-urlencoded") && trimmed.includes("=")) return trimmed.split("&").join("\n&");
  return null;
}

/** Only blanks are put in: numbers keep their digits, members their order and doubles their second place. */
function prettyJson(text) {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  let out = "";
  let depth = 0;
  const line = () => `\n${"  ".repeat(depth)}`;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g)) {
    if (token === "{" || token === "[") {
      depth += 1;
      out += token + line();
    } else if (token === "}" || token === "]") {
      depth -= 1;
      out = /[{[]\s*$/.test(out) ? out.trimEnd() + token : out + line() + token;
    } else if (token === ",") out += token + line();
    else out += token === ":" ? ": " : token;
  }
  return out;
}

function prettyXml(text) {
  let depth = 0;
  const lines = [];
  for (const [token] of text.matchAll(/<!\[CDATA\[[\s\S]*?\]\]>|<[^>]+>|[^<]+/g)) {
    const last = lines.length - 1;
    if (/^<\//.test(token)) {
      depth = Math.max(0, depth - 1);
      // A leaf stays on its line.
      if (lines[last]?.leaf) lines[last] = { text: lines[last].text + token, leaf: false, closed: true };
      else lines.push({ text: "  ".repeat(depth) + token, closed: true });
    } else if (/^<(?![!?])/.test(token) && !token.endsWith("/>")) {
      lines.push({ text: "  ".repeat(depth) + token, leaf: true });
      depth += 1;
    } else if (lines[last]?.leaf && (token.trim() !== "" || token.startsWith("<!["))) lines[last].text += token;
    else if (token.trim() !== "") lines.push({ text: "  ".repeat(depth) + token.trim() });
  }
  return lines.map((line) => line.text).join("\n");
}
