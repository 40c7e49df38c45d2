import type { Instant } from "@coalmine/ports";
import * as z from "zod";
import { eventPattern, PatternFault, type Pattern } from "../eventbridge/event-pattern.ts";
import type { Store, Table } from "../store/store.ts";
import { invalid, notFound } from "./errors.ts";

export interface Topic {
  readonly arn: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly createdAt: Instant;
}

export const protocols = ["lambda", "http", "https", "email", "email-json", "sms"] as const;

export interface Subscription {
  readonly arn: string;
  readonly topicArn: string;
  readonly protocol: (typeof protocols)[number];
  readonly endpoint: string;
  readonly attributes: SubscriptionAttributes;
  /** What an HTTP endpoint must tell before it gets anything; absent once it has. */
  readonly pendingToken?: string;
}

export const SubscriptionAttributes = z.strictObject({
  RawMessageDelivery: z.enum(["true", "false"]).optional(),
  FilterPolicy: z
    .string()
    .max(256 * 1024)
    .optional(),
  FilterPolicyScope: z.enum(["MessageAttributes", "MessageBody"]).optional(),
});
export type SubscriptionAttributes = z.infer<typeof SubscriptionAttributes>;

/** What a filter policy lets through; everything where there is none. @throws ServiceError */
export function filterOf({ FilterPolicy }: SubscriptionAttributes): Pattern {
  if (FilterPolicy === undefined || FilterPolicy === "" || FilterPolicy === "{}") return () => true;
  try {
    return eventPattern(FilterPolicy);
  } catch (failure) {
    if (failure instanceof PatternFault) throw invalid(`FilterPolicy: ${failure.message}`);
    throw failure;
  }
}

/** Topics by ARN, and who subscribes to them. */
export class TopicStore {
  readonly topics: Table<Topic>;
  readonly #subscriptions: Table<Subscription>;

  constructor(store: Store) {
    this.topics = store.table("sns/topics");
    this.#subscriptions = store.table("sns/subscriptions");
  }

  topic(arn: string): Topic {
    const topic = this.topics.get(arn);
    if (topic === undefined) throw notFound("Topic");
    return topic;
  }

  subscription(arn: string): Subscription {
    const subscription = this.#subscriptions.get(arn);
    if (subscription === undefined) throw notFound("Subscription");
    return subscription;
  }

  /** A subscription's ARN begins with its topic's. */
  subscriptionsOf(topicArn: string): readonly Subscription[] {
    return [...this.#subscriptions.entries(`${topicArn}:`)].map(([, subscription]) => subscription);
  }

  get subscriptions(): readonly Subscription[] {
    return [...this.#subscriptions.entries()].map(([, subscription]) => subscription);
  }

  set(subscription: Subscription): void {
    this.#subscriptions.set(subscription.arn, subscription);
  }

  unsubscribe(arn: string): void {
    this.#subscriptions.delete(arn);
  }

  delete(topicArn: string): void {
    for (const { arn } of this.subscriptionsOf(topicArn)) this.#subscriptions.delete(arn);
    this.topics.delete(topicArn);
  }
}
