import type { Problem } from "@coalmine/contract/operator-api";

/** What to do where a call was refused; the sentence says what was wrong. */
const nexts: Readonly<Record<string, string>> = {
  ERR_API_SIGN_IN: "Sign in again.",
  ERR_API_ROLE: "Ask an admin for the role, or somebody who has it to do it.",
  ERR_API_ORIGIN: "Do it on the console's own page.",
  ERR_API_CONFLICT: "Look at it as it is now, and decide again.",
  ERR_API_INPUT: "Correct what is named, and ask again.",
  ERR_API_NOT_FOUND: "Look for it in its list.",
  ERR_API_NO_EVIDENCE: "Wait for the first look of its canary.",
};

export function problem(code: string, sentence: string): Problem {
  return { code, sentence, next: nexts[code] ?? "Ask again; if it stays so, look at the server's log." };
}

export function statusOf(code: string): 400 | 404 | 409 | 500 {
  if (code === "ERR_API_INPUT") return 400;
  if (code === "ERR_API_NOT_FOUND" || code === "ERR_API_NO_EVIDENCE") return 404;
  return code === "ERR_API_CONFLICT" ? 409 : 500;
}
