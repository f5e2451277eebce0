// The file was changed underneath: what differs, and whose text stays.
import { Button, Dialog } from '../ui/parts';
import { diffLines, shortened } from './diff';

const kSigns = { same: ' ', gone: '\u2212', new: '+' };
const kWords = { same: '', gone: 'only there: ', new: 'only here: ' };

export function Conflict({ mine, theirs, onMine, onTheirs, onClose }: {
  mine: string; theirs: string; onMine: () => void; onTheirs: () => void; onClose: () => void;
}) {
  const lines = shortened(diffLines(theirs, mine));
  return (
    <Dialog title="The file was changed meanwhile" onClose={onClose} className="wide">
      <p>Nothing was saved. Lines with + are yours, lines with {kSigns.gone} are in the file now.</p>
      <pre class="difference" tabIndex={0} aria-label="What differs" data-testid="difference">
        {lines.map(({ what, text }, i) => (
          <div key={i} class={what}><span aria-hidden="true">{kSigns[what]} </span><span class="unseen">{kWords[what]}</span>{text}</div>
        ))}
      </pre>
      <div class="buttons end">
        <Button onClick={onTheirs}>Take the file's text</Button>
        <Button look="main" onClick={onMine}>Save mine over it</Button>
      </div>
    </Dialog>
  );
}
