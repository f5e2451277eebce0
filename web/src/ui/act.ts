// Something that a person does and that may fail: busy while it is under way, its error afterwards.
import { useState } from 'preact/hooks';
import { asApiError, type ApiError } from '../api';

export function useAct() {
  const [error, setError] = useState<ApiError | null>(null);
  const [isBusy, setBusy] = useState(false);
  // True: it is done.
  const run = async (act: () => Promise<unknown>): Promise<boolean> => {
    setBusy(true);
    setError(null);
    try {
      await act();
      return true;
    } catch (reason) {
      setError(asApiError(reason));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { error, isBusy, run };
}
