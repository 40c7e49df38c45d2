/** A message on its way through the broker, whoever it comes from: what topic rules look at. */
export interface PassingMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** The client that published it over MQTT, and its certificate where that is still known. */
  readonly from: { readonly clientId: string; readonly principal: string | undefined } | undefined;
  /** Basic Ingest: the one rule that it is for. */
  readonly ruleName: string | undefined;
  /** How often rules have republished it. */
  readonly republished: number;
}

/** Basic Ingest goes to one rule and to no subscriber. */
export function ingested(topic: string): { readonly ruleName: string; readonly topic: string } | undefined {
  if (!topic.startsWith("$aws/rules/")) return undefined;
  const parts = /^\$aws\/rules\/([^/]+)\/(.+)$/s.exec(topic);
  return parts === null ? undefined : { ruleName: parts[1] ?? "", topic: parts[2] ?? "" };
}
