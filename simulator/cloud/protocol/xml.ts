/** Text as XML content. Control characters are written by their number, as S3 does. */
export function escapeXml(text: string): string {
  return text.replaceAll(
    // oxlint-disable-next-line no-control-regex -- the control characters are the point.
    /[&<>"'\u0000-\u001f]/g,
    (character) => named[character] ?? `&#x${character.charCodeAt(0).toString(16)};`,
  );
}

const named: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

export interface XmlElement {
  readonly name: string;
  readonly children: XmlElement[];
  text: string;
}

const DEPTH_MAX = 16;
const ELEMENTS_MAX = 100_000;

/** The root element of a request body. Attributes are passed over; a document type is refused. Undefined if it is not XML. */
export function parseXml(source: string): XmlElement | undefined {
  const root: XmlElement = { name: "", children: [], text: "" };
  const open: XmlElement[] = [root];
  const token =
    /<\?[^>]*\?>|<!--[\s\S]*?-->|<\/([\w:.-]+)\s*>|<([\w:.-]+)((?:[^>"']|"[^"]*"|'[^']*')*?)(\/?)>|([^<]+)/gy;
  let elements = 0;
  let end = 0;
  for (let match = token.exec(source); match !== null; match = token.exec(source)) {
    end = token.lastIndex;
    const [, closing, opening, , selfClosing, text] = match;
    const top = open.at(-1);
    if (top === undefined) return undefined;
    if (text !== undefined) {
      const plain = unescapeXml(text);
      if (plain === undefined) return undefined;
      top.text += plain;
    } else if (closing !== undefined) {
      if (open.length < 2 || top.name !== closing) return undefined;
      open.pop();
    } else if (opening !== undefined) {
      const element: XmlElement = { name: opening, children: [], text: "" };
      top.children.push(element);
      if (++elements > ELEMENTS_MAX || open.length > DEPTH_MAX) return undefined;
      if (selfClosing !== "/") open.push(element);
    }
  }
  return end === source.length && open.length === 1 && root.children.length === 1
    ? root.children[0]
    : undefined;
}

/** The text of the first child of that name. */
export function childText(element: XmlElement | undefined, name: string): string | undefined {
  return element?.children.find((child) => child.name === name)?.text;
}

function unescapeXml(text: string): string | undefined {
  let isWhole = true;
  const plain = text.replaceAll(
    /&(?:#x([0-9a-fA-F]{1,6})|#(\d{1,7})|(\w{1,8}));?/g,
    (entity, hex, dec, name) => {
      const point = hex ? Number.parseInt(String(hex), 16) : dec ? Number(dec) : undefined;
      if (point !== undefined && point <= 0x10_ffff) return String.fromCodePoint(point);
      const character = Object.entries(named).find(([, escaped]) => escaped === `&${String(name)};`)?.[0];
      if (character === undefined || !entity.endsWith(";")) isWhole = false;
      return character ?? "";
    },
  );
  return isWhole ? plain : undefined;
}
