// A text that was made here, as a file of the viewer's.
import { useEffect, useState } from 'preact/hooks';

export function SaveFile({ name, text }: { name: string; text: string }) {
  const [url, setUrl] = useState('');
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([text], { type: 'application/x-pem-file' }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [text]);
  return <a class="button" href={url} download={name}>Save {name}</a>;
}
