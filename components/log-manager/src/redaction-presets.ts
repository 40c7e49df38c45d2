/** What is replaced in log events, found by name. Each expression of a preset is ours and runs in linear time. */
export const presetNames = ["email", "ipAddress", "bearerToken", "pemBlock", "medicalRecordNumber"] as const;
export type PresetName = (typeof presetNames)[number];

const octet = String.raw`(?:25[0-5]|2[0-4]\d|1?\d?\d)`;

/** In RE2's syntax, as own expressions are. */
export const presets: Readonly<Record<PresetName, readonly string[]>> = {
  // The @ also as JSON and URLs may write it.
  email: [
    String.raw`(?i)[\pL\pN._%+\-]{1,128}(?:@|\\u0040|%40|&#64;)(?:[\pL\pN\-]{1,63}\.){1,8}[\pL]{2,24}`,
    String.raw`(?i)[\pL\pN._%+\-]{1,128}(?:@|\\u0040|%40|&#64;)\[[0-9a-f.:]{3,45}\]`,
  ],
  ipAddress: [
    // Four octets and no fifth number: a version like 1.2.3 stays, one like 1.2.3.4 cannot be told apart and goes.
    String.raw`\b${octet}(?:\.${octet}){3}\b`,
    // IPv6 whole, or with a gap; times of day have neither eight groups nor a gap.
    String.raw`(?i)\b[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){7}\b`,
    String.raw`(?i)\b[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6}::(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6}\b)?`,
    String.raw`(?i)\B::[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6}\b`,
  ],
  bearerToken: [
    String.raw`(?i)\bbearer(?:\s|%20|\+|\\u0020|:|=|")+[A-Za-z0-9._~+/%\-]+=*`,
    // A JSON web token, whatever stands before it.
    String.raw`\beyJ[A-Za-z0-9_\-]{5,}(?:\.[A-Za-z0-9_\-]*){1,4}`,
  ],
  pemBlock: [
    // Up to its end, or, where that is missing, to the end of the event.
    String.raw`(?s)-----BEGIN [A-Z0-9 ]{1,64}-----.*?(?:-----END [A-Z0-9 ]{1,64}-----|\z)`,
    // The rest of a block whose beginning went before.
    String.raw`(?s)\A[A-Za-z0-9+/=\s\\]*-----END [A-Z0-9 ]{1,64}-----`,
    String.raw`(?m)^[ \t]*[A-Za-z0-9+/]{60,}={0,2}\s*$`,
  ],
  medicalRecordNumber: [
    String.raw`(?i)\b(?:MRN|(?:medical[ _\-]?)record[ _\-]?(?:no\.?|number|num|nr|id)|patient[ _\-]?(?:id|no\.?|number))\b["']?\s*[:=#\-]?\s*["']?#?[A-Z]{0,4}-?\d[\d\-]{2,18}\d`,
  ],
};
