/** Python's sentences, filled in as Python's `format` fills them. */

import shared from "../shared.json";
import type { Cause } from "./rules";

const { causes, one_unit, additions } = shared as {
  causes: Record<string, string>;
  one_unit: Record<string, string>;
  additions: Record<string, string>;
};

/** Return the cause in words. */
export function sentence({ id, evidence }: Cause): string {
  const whole = evidence.units === 1 ? (one_unit[id] ?? causes[id]) : causes[id];
  const more = Object.entries(additions)
    .filter(([name]) => name in evidence)
    .map(([, text]) => filled(text, evidence));
  return (filled(whole, evidence) + more.join("")).replace(/\b1 steps\b/, "1 step");
}

/** Fill in `{name:spec}`. */
export function filled(text: string, values: Readonly<Record<string, unknown>>): string {
  return text.replace(/\{(\w+)(?::([^}]*))?\}/g, (_, name: string, spec?: string) =>
    formatted(values[name], spec ?? ""),
  );
}

function formatted(value: unknown, spec: string): string {
  if (typeof value !== "number") return String(value);
  if (spec === ",") return value.toLocaleString("en-US");
  const share = /^\.(\d+)%$/.exec(spec);
  if (share) return `${fixed(100 * value, Number(share[1]))}%`;
  const general = /^(?:\.(\d+))?g$/.exec(spec);
  if (general) return significant(value, Number(general[1] ?? 6));
  return String(value);
}

/** Return so many decimals; halves go to the even neighbour, as Python's do. */
export function fixed(value: number, decimals: number): string {
  const scaled = value * 10 ** decimals;
  const isHalf = scaled - Math.floor(scaled) === 0.5;
  return (isHalf ? toEven(scaled) / 10 ** decimals : value).toFixed(decimals);
}

/** Round a half to the even neighbour, and everything else as usual. */
export function toEven(value: number): number {
  const low = Math.floor(value);
  if (value - low !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}

/** Return so many significant digits, without zeros at the end: Python's `g`. */
export function significant(value: number, digits: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  if (value === 0) return "0";
  const [mantissa, power] = value.toExponential(digits - 1).split("e");
  const exponent = Number(power);
  if (exponent < -4 || exponent >= digits) {
    const sign = exponent < 0 ? "-" : "+";
    return `${trimmed(mantissa)}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
  }
  return trimmed(value.toFixed(Math.max(0, digits - 1 - exponent)));
}

function trimmed(digits: string): string {
  return digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
}
