import { judge, type Channel, type Judged } from "./channel.ts";

/** Lines that begin so are readings: which of their fields is which channel's, from 0. */
export interface Sentence<Field extends Channel & { readonly at: number }> {
  readonly begins: string;
  readonly fields: readonly Field[];
}

export interface ReadField<Field> {
  readonly channel: Field;
  /** As it stood in the line; empty where the line has no such field. */
  readonly text: string;
  readonly judged: Judged;
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** The first sentence that a line begins as; undefined where it is none. */
export function sentenceOf<Each extends { readonly begins: string }>(
  sentences: readonly Each[],
  line: string,
): Each | undefined {
  return sentences.find(({ begins }) => line.startsWith(begins));
}

/** What a line says on each channel. `last` stands in for a field that is no number. */
export function readSentence<Field extends Channel & { readonly at: number }>(
  sentence: Sentence<Field>,
  separator: string,
  line: string,
  last: (channel: string) => number,
): ReadField<Field>[] {
  const fields = line.split(separator);
  return sentence.fields.map((channel) => {
    const text = fields[channel.at]?.trim() ?? "";
    const raw = NUMBER.test(text) ? Number(text) : Number.NaN;
    return { channel, text, judged: judge(channel, raw, last(channel.channel)) };
  });
}
