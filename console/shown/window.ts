/** Of a long list, the rows to draw: those in sight and a few around them, so that scrolling meets no hole. */
export interface Window {
  readonly first: number;
  /** Behind the last one. */
  readonly end: number;
}

const AROUND = 8;

export function windowOf(rows: number, rowPx: number, scrolledPx: number, heightPx: number): Window {
  const last = Math.max(0, rows - Math.ceil(heightPx / rowPx));
  const top = Math.min(last, Math.max(0, Math.floor(scrolledPx / rowPx)));
  return {
    first: Math.max(0, top - AROUND),
    end: Math.min(rows, top + Math.ceil(heightPx / rowPx) + 1 + AROUND),
  };
}

/** Where a list has to be scrolled to for a row to be in sight; undefined where it is. */
export function scrollTo(
  row: number,
  rowPx: number,
  scrolledPx: number,
  heightPx: number,
): number | undefined {
  const top = row * rowPx;
  if (top < scrolledPx) return top;
  return top + rowPx > scrolledPx + heightPx ? Math.min(top, top + rowPx - heightPx) : undefined;
}

/** Where a key leads from a row of so many; undefined for a key that leads nowhere. */
export function rowAfter(key: string, row: number, rows: number, page: number): number | undefined {
  const steps: Readonly<Record<string, number>> = {
    ArrowDown: row + 1,
    ArrowUp: row - 1,
    PageDown: row + page,
    PageUp: row - page,
    Home: 0,
    End: rows - 1,
  };
  const to = steps[key];
  return to === undefined || rows === 0 ? undefined : Math.max(0, Math.min(rows - 1, to));
}
