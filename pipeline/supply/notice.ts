import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BuildError } from "../build/build-error.ts";
import type { LockedPackage } from "./locked-packages.ts";

const TEXT_FILE = /^(licen[cs]e|copying|notice|third.?party.*)(\.(md|txt))?$/i;
/** Whoever holds the rights of a package that states a licence and comes without its text. */
const HOLDERS: Readonly<Record<string, string>> = {
  "onnxruntime-common": "Microsoft Corporation",
  "onnxruntime-node": "Microsoft Corporation",
};
/** Its licence in full; those that come without one have the same. */
const APACHE_TEXT = "aws-crt/LICENSE";

const MIT_TEXT = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE,
ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

/**
 * The artifact's NOTICE: what is bundled, under which licence, and each text once. The licences ask for it, and a bundle
 * has no comments that could carry them. It follows from the packages alone, in their order. `others` are no packages of
 * the lockfile for every platform: title → text.
 */
export function noticeOf(
  root: string,
  component: string,
  packages: readonly LockedPackage[],
  others: Readonly<Record<string, string>> = {},
): string {
  const texts = new Map<string, string[]>();
  const add = (text: string, title: string): void => {
    const plain = text.replaceAll("\r\n", "\n").trim();
    texts.set(plain, [...(texts.get(plain) ?? []), title]);
  };
  add(readFileSync(join(root, "node_modules", APACHE_TEXT), "utf8"), `${component} (Apache-2.0)`);
  for (const [title, text] of Object.entries(others)) add(text, title);
  for (const each of packages.filter(({ isOurs }) => !isOurs)) {
    const title = `${each.name} ${each.version} (${each.licence ?? ""})`;
    for (const text of textsOf(root, each)) add(text, title);
  }
  const parts = [...texts].map(([text, titles]) => `${titles.join("\n")}\n\n${text}\n`);
  return `${component} holds the following software.\n\n${parts.join(`\n${"-".repeat(80)}\n\n`)}`;
}

function textsOf(root: string, { place, name, version, licence }: LockedPackage): string[] {
  const files = readdirSync(join(root, place))
    .filter((file) => TEXT_FILE.test(file))
    .sort();
  if (files.length > 0) return files.map((file) => readFileSync(join(root, place, file), "utf8"));
  if (licence === "Apache-2.0") return [readFileSync(join(root, "node_modules", APACHE_TEXT), "utf8")];
  const holder = HOLDERS[name];
  if (licence === "MIT" && holder !== undefined)
    return [`MIT License\n\nCopyright (c) ${holder}\n\n${MIT_TEXT}`];
  throw new BuildError(
    "ERR_BUILD_LICENCE",
    `${name} ${version} is under ${licence ?? "no licence"} and comes without the text, which has to go with it; say in pipeline/supply/notice.ts who holds its rights`,
  );
}
