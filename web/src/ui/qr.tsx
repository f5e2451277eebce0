// A text as a picture that a phone reads (QR code, ISO/IEC 18004).
import qrcode from 'qrcode-generator';

const kQuiet = 4;  // modules around it, as the standard wants

// One path: a square for each dark module.
export function qrPath(text: string): { path: string; size: number } {
  const code = qrcode(0, 'M');
  code.addData(text);
  code.make();
  const count = code.getModuleCount();
  let path = '';
  for (let row = 0; row < count; row += 1) {
    for (let column = 0; column < count; column += 1) {
      if (code.isDark(row, column)) path += `M${column + kQuiet} ${row + kQuiet}h1v1h-1z`;
    }
  }
  return { path, size: count + 2 * kQuiet };
}

// Dark on light in every theme: cameras expect it.
export function Qr({ text, label }: { text: string; label: string }) {
  const { path, size } = qrPath(text);
  return (
    <svg class="qr" role="img" aria-label={label} viewBox={`0 0 ${size} ${size}`} shape-rendering="crispEdges">
      <rect width={size} height={size} fill="#fff" /><path d={path} fill="#000" />
    </svg>
  );
}
