// A native <dialog>: it keeps the focus, gives it back, and closes with Escape.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Wire } from './wire';

export interface DialogProps {
  title: ComponentChildren;
  onClose: () => void;
  // What will happen, with numbers: "Block tcp/25 from 1 address for 4 hours. ..."
  consequence?: ComponentChildren;
  children?: ComponentChildren; // fields; they are in a form
  confirm?: string; // the verb and its object: "Block 10.20.4.17"; none: nothing to confirm
  danger?: boolean;
  // A rejected promise is shown in the dialog; fields keep what was typed. Done: the dialog closes.
  onConfirm?: (form: FormData) => void | Promise<void>;
  wide?: boolean;
  keep?: boolean; // cannot be closed without an answer
  cancel?: string;
}

export function Dialog({ title, onClose, consequence, children, confirm, danger, onConfirm, wide, keep, cancel = 'Cancel' }: DialogProps) {
  const box = useRef<HTMLDialogElement>(null);
  const name = useId();
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);

  useEffect(() => {
    const dialog = box.current!;
    const before = document.activeElement as HTMLElement | null;
    dialog.showModal();
    return () => {
      dialog.close();
      before?.focus?.();
    };
  }, []);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError('');
    try {
      await onConfirm?.(new FormData(event.target as HTMLFormElement));
      onClose();
    } catch (e) {
      setError((e as Error).message);
      setBusy(false);
    }
  };

  return (
    <dialog ref={box} class={wide ? 'wide' : undefined} aria-labelledby={name}
      onCancel={(e) => { e.preventDefault(); if (!keep) onClose(); }}
      onClick={(e) => { if (e.target === box.current && !keep && !confirm) onClose(); }}>
      <form method="dialog" onSubmit={submit}>
        <h2 id={name}>{title}</h2>
        {consequence !== undefined && <div class="consequence">{consequence}</div>}
        {children}
        {error !== '' && <p class="note bad" role="alert"><Wire value={error} prose /></p>}
        <div class="buttons">
          {confirm !== undefined && <button type="submit" class={danger ? 'danger' : undefined} aria-busy={busy} disabled={busy}>{confirm}</button>}
          {!keep && <button type="button" class="secondary" onClick={onClose}>{confirm === undefined ? 'Close' : cancel}</button>}
        </div>
      </form>
    </dialog>
  );
}

// A labelled field with its hint, for dialogs and forms.
export function Field({ label, hint, children }: { label: string; hint?: ComponentChildren; children: ComponentChildren }) {
  return <label class="field"><span>{label}</span>{children}{hint !== undefined && <small>{hint}</small>}</label>;
}
