import { awsLimits } from "../broker/limits.ts";
import type { CarriedProperties } from "../broker/message.ts";
import { topicFault } from "../broker/topic.ts";
import { invalid } from "../iot/operation.ts";
import { outputBytes, type PreparedAction } from "./actions.ts";
import { template } from "./template.ts";

export type Publish = (
  topic: string,
  payload: Uint8Array,
  options: {
    readonly qos: 0 | 1;
    readonly properties: CarriedProperties;
    readonly republished: number;
  },
) => void;

/** The MQTT 5 headers of the action, as its schema has read them. */
export interface RepublishHeaders {
  readonly payloadFormatIndicator?: "UNSPECIFIED_BYTES" | "UTF8_DATA" | null | undefined;
  readonly contentType?: string | null | undefined;
  readonly responseTopic?: string | null | undefined;
  readonly correlationData?: string | null | undefined;
  readonly userProperties?: readonly { readonly key: string; readonly value: string }[] | null | undefined;
}

/** To another topic. One of AWS's own is written with `$$`; a shadow's `update` updates the shadow. */
export function republish(topic: string, qos: 0 | 1, headers: RepublishHeaders): PreparedAction["run"] {
  const topicOf = template(topic.replace(/^\$\$/, "$"));
  return async ({ payload, context, output, republished }, { invoke, publish }) => {
    const to = topicOf(payload, context);
    const fault = topicFault(to, awsLimits);
    if (fault !== undefined) throw invalid(`Cannot republish: ${fault}.`);
    const bytes = outputBytes(output);
    const shadow = /^\$aws\/things\/([^/]+)\/shadow(?:\/name\/([^/]+))?\/update$/.exec(to);
    if (shadow === null)
      publish(to, bytes, { qos, properties: propertiesOf(headers), republished: republished + 1 });
    else
      await invoke("iotdata", "UpdateThingShadow", {
        thingName: shadow[1],
        shadowName: shadow[2],
        payload: bytes,
      });
  };
}

function propertiesOf(headers: RepublishHeaders): CarriedProperties {
  const { payloadFormatIndicator, contentType, responseTopic, correlationData, userProperties } = headers;
  return {
    ...(payloadFormatIndicator ? { payloadFormatIndicator: payloadFormatIndicator === "UTF8_DATA" } : {}),
    ...(contentType ? { contentType } : {}),
    ...(responseTopic ? { responseTopic } : {}),
    ...(correlationData ? { correlationData: Buffer.from(correlationData, "base64") } : {}),
    ...(userProperties ? { userProperties: byKey(userProperties) } : {}),
  };
}

/** A key that comes twice has a list. */
function byKey(
  pairs: readonly { readonly key: string; readonly value: string }[],
): Record<string, string | string[]> {
  const grouped = new Map<string, string[]>();
  for (const { key, value } of pairs) grouped.set(key, [...(grouped.get(key) ?? []), value]);
  return Object.fromEntries(
    [...grouped].map(([key, values]) => [key, values.length === 1 ? (values[0] ?? "") : values]),
  );
}
