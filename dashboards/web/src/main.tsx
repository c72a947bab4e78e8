// Which page is which path.
import { Component, render, type ComponentChildren, type ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import '@picocss/pico/css/pico.fluid.classless.min.css';
import './style.css';
import { askMe, useMe } from './api';
import { startKeys } from './keys';
import { startStream } from './live';
import { match, startRouter, usePlace, type Params } from './router';
import { Page, Shell } from './shell';
import { watchTheme } from './theme';
import { Alert, Alerts } from './pages/alerts';
import { Audit } from './pages/audit';
import { Blocking } from './pages/blocking';
import { Help } from './pages/help';
import { Host, Hosts } from './pages/hosts';
import { Login } from './pages/login';
import { Now } from './pages/now';
import { Registry } from './pages/registry';
import { Sensor } from './pages/sensor';
import { Session, Sessions } from './pages/sessions';
import { Study, StudyShown } from './pages/study';
import { Review } from './pages/study_review';
import { Why } from './pages/why';

const PAGES: readonly (readonly [string, ComponentType<{ params: Params }>])[] = [
  ['/', Now],
  ['/alerts', Alerts],
  ['/alerts/:id', Alert],
  ['/hosts', Hosts],
  ['/hosts/:addr', Host],
  ['/sessions', Sessions],
  ['/sessions/:id', Session],
  ['/registry', Registry],
  ['/registry/:part', Registry],
  ['/registry/:part/:what', Registry],
  ['/blocking', Blocking],
  ['/why', Why],
  ['/study', Study],
  ['/study/:name', StudyShown],
  ['/study/:name/review', Review],
  ['/sensor', Sensor],
  ['/audit', Audit],
  ['/help', Help],
];

function NotFound({ path }: { path: string }) {
  return (
    <Page title="There is no such page">
      <p>No page is at <code>{path}</code>. <a href="/">Now</a> is the first one; the search above finds addresses, alerts and forms.</p>
    </Page>
  );
}

// A fault of one page leaves the header and the way elsewhere.
class Fence extends Component<{ children: ComponentChildren }, { fault?: Error }> {
  override state: { fault?: Error } = {};

  static override getDerivedStateFromError(fault: Error) {
    return { fault };
  }

  override render() {
    const { fault } = this.state;
    if (!fault) return this.props.children;
    return (
      <Page title="This page cannot be drawn">
        <div class="note bad" role="alert">
          <p>That is a fault of the page, not of the data; nothing was changed. Other pages still work, and the command line shows the same.</p>
          <p><code>{String(fault.message).slice(0, 300)}</code></p>
          <p><button type="button" class="secondary" onClick={() => this.setState({ fault: undefined })}>Draw it again</button></p>
        </div>
      </Page>
    );
  }
}

function Shown() {
  const { path } = usePlace();
  for (const [pattern, Drawn] of PAGES) {
    const params = match(pattern, path);
    if (params) return <Fence key={path}><Drawn params={params} /></Fence>;
  }
  return <NotFound path={path} />;
}

function App() {
  const who = useMe();
  const [error, setError] = useState('');
  const start = () => askMe().then(() => setError(''), (e: Error) => setError(e.message));
  useEffect(() => { void start(); }, []);
  if (who) return <Shell><Shown /></Shell>;
  if (who === null) return <Login />;
  if (error === '') return null;
  return <main class="login"><h1>span25</h1><p class="note bad" role="alert">{error}</p><button type="button" onClick={() => { void start(); }}>Try again</button></main>;
}

watchTheme();
startRouter();
startKeys();
startStream();
render(<App />, document.getElementById('app')!);
