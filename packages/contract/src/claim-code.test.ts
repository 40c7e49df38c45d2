import fc from "fast-check";
import { expect, test } from "vitest";
import { ClaimCodeText, codeId, newClaimCode } from "./claim-code.ts";

const code = fc.array(fc.nat({ max: 30 }), { minLength: 11, maxLength: 11 }).map((numbers) => {
  const left = [...numbers];
  return newClaimCode(() => left.shift() ?? 0);
});

test("a code is read back however it is typed", () => {
  fc.assert(
    fc.property(code, (made) => {
      expect(made).toMatch(/^\w{4}-\w{4}-\w{4}$/);
      expect(ClaimCodeText.parse(` ${made.toLowerCase().replaceAll("-", " ")}`)).toBe(made);
      expect(codeId(made)).toBe(made.slice(0, 4));
    }),
  );
});

test("a wrong symbol, or two that changed places, are found before anything is sent", () => {
  const symbols = "23456789ABCDEFGHJKLMNPQRSTVWXYZ".split("");
  fc.assert(
    fc.property(code, fc.nat({ max: 10 }), fc.nat({ max: 30 }), (made, at, other) => {
      const plain = made.replaceAll("-", "").split("");
      const wrong = plain.with(at, symbols[other] ?? "");
      expect(ClaimCodeText.safeParse(wrong.join("")).success).toBe(wrong.join("") === plain.join(""));
      const swapped = plain.with(at, plain[at + 1] ?? "").with(at + 1, plain[at] ?? "");
      if (at < 10)
        expect(ClaimCodeText.safeParse(swapped.join("")).success).toBe(plain[at] === plain[at + 1]);
    }),
  );
  expect(ClaimCodeText.safeParse("O1O1-0000-IIII").success).toBe(false);
});
