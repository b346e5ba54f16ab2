// The page of a machine's console. Its address has a ticket, which opens one connection.
import RFB from './novnc/core/rfb.js';

const place = document.getElementById('screen');
const status = document.getElementById('status');
const log = document.getElementById('log');
const ticket = new URLSearchParams(location.search);

function say(text) { status.textContent = text; }

function at(path) {
  const query = new URLSearchParams();
  for (const name of ['token', 'extra']) {
    if (ticket.has(name)) query.set(name, ticket.get(name));
  }
  return new URL(`/client/console/${path}?${query}`, location.href);
}

const socket = at('socket');
socket.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
const rfb = new RFB(place, socket.href, {shared: true});
rfb.scaleViewport = true;
rfb.addEventListener('connect', () => { say('connected'); rfb.focus(); });
rfb.addEventListener('disconnect', (e) => {
  say(e.detail.clean ? 'The connection has ended. Ask for the console anew to go on.' :
    'The connection was lost, or this address has been used before. Ask for the console anew.');
});
rfb.addEventListener('clipboard', (e) => { document.getElementById('paste').value = e.detail.text; });

document.getElementById('cad').addEventListener('click', () => { rfb.sendCtrlAltDel(); rfb.focus(); });
document.getElementById('send').addEventListener('click', () => {
  for (const c of document.getElementById('paste').value) {
    const point = c.codePointAt(0);
    const key = c === '\n' ? 0xff0d : c === '\t' ? 0xff09 : point < 0x100 ? point : 0x01000000 | point;
    rfb.sendKey(key, null);
  }
  rfb.focus();
});
document.getElementById('serial').addEventListener('click', async () => {
  if (!log.hidden) {
    log.hidden = true;
    return;
  }
  const answer = await fetch(at('serial'));
  log.textContent = await answer.text();
  log.hidden = false;
  log.scrollTop = log.scrollHeight;
});
