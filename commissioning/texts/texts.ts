import type {
  AdapterState,
  ConnectFailure,
  GatewayAnswer,
  Handshaken,
  NoWay,
  TimeAnswer,
  Unresolved,
} from "@coalmine/site";
import type { Need, Purpose } from "../network/network-list.ts";

/** What was seen, with its values; and what to do, where there is something. */
export interface Said {
  readonly what: string;
  readonly todo?: string;
}

/** A sentence for each kind of a result: a language that lacks one does not compile. */
export type SaidOf<Result extends { readonly kind: string }, Place = void> = {
  readonly [Kind in Result["kind"]]: (result: Extract<Result, { readonly kind: Kind }>, place: Place) => Said;
};
type Own<Result extends { readonly kind: string }, Shared> = Exclude<Result, Shared>;

/** Everything that is said to people on site, in one language. Names of hosts, words of protocols and numbers stay as they are. */
export interface Texts {
  readonly language: string;
  readonly network: {
    readonly connect: SaidOf<ConnectFailure>;
    readonly link: SaidOf<AdapterState, { readonly adapter: string }>;
    readonly gateway: SaidOf<GatewayAnswer | { readonly kind: "none" }>;
    readonly unresolved: SaidOf<Unresolved>;
    readonly resolved: (values: { readonly addresses: readonly string[] }) => Said;
    /** `inner`: why the proxy itself is not reached. */
    readonly noWay: SaidOf<Own<NoWay, Unresolved>, { readonly inner: string }>;
    readonly host: SaidOf<Own<Handshaken, NoWay>>;
    readonly portal: {
      readonly none: () => Said;
      readonly captive: (values: { readonly page: string | undefined }) => Said;
      readonly unknown: (values: { readonly why: string }) => Said;
    };
    readonly time: SaidOf<Own<TimeAnswer, Unresolved>> & {
      readonly off: (values: {
        readonly minutes: string;
        readonly isAhead: boolean;
        readonly server: string;
      }) => Said;
    };
    readonly titles: {
      readonly link: string;
      readonly gateway: string;
      readonly portal: string;
      readonly name: (name: string) => string;
      readonly time: (server: string) => string;
      readonly host: (need: Need) => string;
    };
    readonly request: {
      readonly subject: (serial: string, site: string) => string;
      readonly intro: string;
      readonly mac: (adapter: string, mac: string) => string;
      readonly hosts: string;
      readonly purposes: Readonly<Record<Purpose, string>>;
      readonly byProxy: (proxy: string) => string;
      /** Before the names of hosts. */
      readonly bypass: string;
      readonly mutual: string;
      readonly seen: string;
      readonly nothing: string;
      readonly thanks: string;
    };
  };
}

/** The sentence for what was found. */
export function say<Result extends { readonly kind: string }, Place>(
  sentences: SaidOf<Result, Place>,
  result: Result,
  place: Place,
): Said {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a kind's own sentence takes results of that kind.
  const sentence = sentences[result.kind as Result["kind"]] as (result: Result, place: Place) => Said;
  return sentence(result, place);
}
