"""What a realm of expressions has beside the language itself.

Owns ``console``, which says nothing, and the order of ``localeCompare``. Must not know realms.

``PRELUDE`` is run once for each realm, before it is frozen. QuickJS has no data of locales: there
is no ``Intl``, and ``localeCompare`` would order by code points (``B`` before ``a``). Here its
order is that of Unicode's root collation for ASCII and for Latin letters with marks; other
characters follow by code point.
"""

from typing import Final

PRELUDE: Final = r"""
(function () {
  "use strict";
  const define = (object, name, value) =>
    Object.defineProperty(object, name, {value, writable: true, configurable: true});

  const console = {};
  for (const name of ("assert clear count countReset debug dir dirxml error group groupCollapsed " +
      "groupEnd info log profile profileEnd table time timeEnd timeLog timeStamp trace warn")
      .split(" "))
    console[name] = {[name]() {}}[name];
  define(globalThis, "console", console);

  const rank = new Map([..."\t\n\v\f\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789"]
    .map((character, place) => [character, place]));
  const marks = /[\u0300-\u036f]/g;
  const weight = (character) => rank.get(character) ?? 1000 + character.codePointAt(0);
  const parts = (text, numeric) =>
    numeric ? text.match(/[0-9]+|[^0-9]/gu) ?? [] : Array.from(text);
  const sign = (difference) => difference < 0 ? -1 : difference > 0 ? 1 : 0;

  function compareParts(one, other) {
    const digits = /^[0-9]/;
    if (digits.test(one) && digits.test(other) && one.length + other.length > 2) {
      const [a, b] = [one.replace(/^0+/, ""), other.replace(/^0+/, "")];
      return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
    }
    return weight(one[0] <= "\x7f" ? one[0] : one) - weight(other[0] <= "\x7f" ? other[0] : other);
  }
  function compareAll(one, other) {
    for (let i = 0; i < one.length && i < other.length; i++) {
      const difference = compareParts(one[i], other[i]);
      if (difference) return difference;
    }
    return one.length - other.length;
  }
  function compareMarks(one, other) {
    const of = (text) => Array.from(text.toLowerCase().match(/.[\u0300-\u036f]*/gsu) ?? [])
      .map((group) => Array.from(group).slice(1).join(""));
    const [a, b] = [of(one), of(other)];
    for (let i = 0; i < a.length && i < b.length; i++)
      if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
    return 0;
  }
  function compareCase(one, other) {
    const [a, b] = [Array.from(one.replace(marks, "")), Array.from(other.replace(marks, ""))];
    for (let i = 0; i < a.length && i < b.length; i++)
      if (a[i] !== b[i]) return a[i] === a[i].toLowerCase() ? -1 : 1;
    return 0;
  }
  define(String.prototype, "localeCompare", {localeCompare(that, locales, options) {
    if (this === null || this === undefined)
      throw new TypeError("String.prototype.localeCompare called on null or undefined");
    const {numeric = false, sensitivity = "variant"} = options ?? {};
    const [one, other] = [String(this).normalize("NFD"), String(that).normalize("NFD")];
    const plain = (text) => parts(text.replace(marks, "").toLowerCase(), numeric);
    return sign(compareAll(plain(one), plain(other))
      || (sensitivity === "accent" || sensitivity === "variant" ? compareMarks(one, other) : 0)
      || (sensitivity === "case" || sensitivity === "variant" ? compareCase(one, other) : 0));
  }}.localeCompare);
})()
"""
