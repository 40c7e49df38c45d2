import { createHash } from "node:crypto";
import { type Canvas, fontNames } from "./canvas.ts";

/**
 * A writer of our own, since a page of text, lines and a QR code needs little: it is 5 kB with its tables, where pdfkit is
 * 914 kB (and 25 MB installed) and pdf-lib 512 kB, without a release since 2021. It writes PDF 1.4 in ASCII, without
 * compression and with the standard fonts: the same document is the same bytes, on any processor, and can be compared line
 * by line.
 * @see ISO 32000-1
 */
export interface PdfDocument {
  readonly title: string;
  /** BCP 47. */
  readonly language: string;
  /** ISO 8601 in UTC. */
  readonly createdAt: string;
  readonly pages: readonly Canvas[];
  readonly files?: readonly PdfFile[];
}

/** A file that travels in the document. */
export interface PdfFile {
  readonly name: string;
  readonly text: string;
}

export function writePdf({ title, language, createdAt, pages, files = [] }: PdfDocument): string {
  const objects: string[] = [];
  const add = (body: string): string => `${objects.push(body)} 0 R`;
  const fonts = Object.entries(fontNames).map(
    ([font, name]) =>
      `/${name} ${add(`<< /Type /Font /Subtype /Type1 /BaseFont /${font} /Encoding /WinAnsiEncoding >>`)}`,
  );
  const attached = files.map(({ name, text }) => {
    const stream = add(embedded(text));
    return `${hex(name)} ${add(`<< /Type /Filespec /F ${hex(name)} /EF << /F ${stream} >> >>`)}`;
  });
  // The list of pages has two objects a page before it: its number is known ahead.
  const list = `${objects.length + 2 * pages.length + 1} 0 R`;
  const kids = pages.map(({ widthPt, heightPt, content }) =>
    add(
      `<< /Type /Page /Parent ${list} /MediaBox [0 0 ${widthPt} ${heightPt}] /Resources << /Font << ${fonts.join(" ")} >> >> /Contents ${add(streamOf(content))} >>`,
    ),
  );
  add(`<< /Type /Pages /Count ${pages.length} /Kids [${kids.join(" ")}] >>`);
  const names =
    attached.length === 0 ? "" : ` /Names << /EmbeddedFiles << /Names [${attached.join(" ")}] >> >>`;
  const root = add(
    `<< /Type /Catalog /Pages ${list} /Lang (${language}) /ViewerPreferences << /DisplayDocTitle true >>${names} >>`,
  );
  const information = add(
    `<< /Title ${hex(title)} /Producer (Coalmine) /CreationDate ${pdfDate(createdAt)} >>`,
  );
  return assembled(objects, root, information);
}

/** The text of a file that a document of ours carries. */
export function readPdfFile(pdf: string, name: string): string | undefined {
  const filespec = pdf.split(`/Filespec /F ${hex(name)} /EF << /F `)[1];
  const stream =
    filespec === undefined ? undefined : pdf.split(`\n${Number.parseInt(filespec, 10)} 0 obj\n`)[1];
  const written = stream?.match(/stream\n([0-9a-f]*)>\nendstream/)?.[1];
  return written === undefined ? undefined : Buffer.from(written, "hex").toString("utf8");
}

function assembled(objects: readonly string[], root: string, information: string): string {
  let text = "%PDF-1.4\n";
  const offsets = objects.map((body, index) => {
    const offset = text.length;
    text += `${index + 1} 0 obj\n${body}\nendobj\n`;
    return offset;
  });
  const id = createHash("sha256").update(text).digest("hex").slice(0, 32);
  const rows = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`);
  return `${text}xref
0 ${objects.length + 1}
0000000000 65535 f 
${rows.join("")}trailer
<< /Size ${objects.length + 1} /Root ${root} /Info ${information} /ID [<${id}> <${id}>] >>
startxref
${text.length}
%%EOF
`;
}

function streamOf(content: string): string {
  return `<< /Length ${content.length} >>\nstream\n${content}endstream`;
}

function embedded(text: string): string {
  const bytes = Buffer.from(text, "utf8");
  const written = `${bytes.toString("hex")}>\n`;
  return `<< /Type /EmbeddedFile /Filter /ASCIIHexDecode /Length ${written.length} /Params << /Size ${bytes.length} >> >>\nstream\n${written}endstream`;
}

/** UTF-16 with its mark, in hexadecimal. */
function hex(text: string): string {
  return `<feff${Buffer.from(text, "utf16le").swap16().toString("hex")}>`;
}

function pdfDate(iso: string): string {
  return `(D:${iso.replaceAll(/\D/g, "").slice(0, 14)}Z)`;
}
