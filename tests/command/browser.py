# SPDX-License-Identifier: MIT
"""A browser without a window, driven over WebDriver: chromium and chromium-driver as Debian has them."""

import base64
import json
import os
import re
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request

TIMEOUT_S = 60
ELEMENT = 'element-6066-11e4-a52e-4f735466cecf'  # the standard's name for a reference to one
KEYS = {'Enter': '\ue007', 'Escape': '\ue00c', 'Left': '\ue012', 'Up': '\ue013', 'Right': '\ue014', 'Down': '\ue015',
        'Home': '\ue011', 'End': '\ue010', 'Tab': '\ue004', 'Control': '\ue009'}


def problem():
    """Why there is no browser; None if there is one."""
    for name, package in (('chromium', 'chromium'), ('chromedriver', 'chromium-driver')):
        if shutil.which(name) is None:
            return f'there is no {name}: install {package}'
    return None


class Browser:
    """One session; what the driver refuses is a RuntimeError with its words."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.driver = subprocess.Popen(['chromedriver', '--port=0'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                       text=True)
        self.session = None
        try:
            self.base = f'http://127.0.0.1:{self.port()}'
            self.session = self.call('POST', '/session', {'capabilities': {'alwaysMatch': self.wishes()}})['sessionId']
        except BaseException:
            self.close()
            raise

    def port(self):
        for line in self.driver.stdout:
            found = re.search(r'started successfully on port (\d+)', line)
            if found:
                return int(found.group(1))
        raise RuntimeError('chromedriver ended before it said its port')

    def wishes(self):
        flags = ['--headless=new', '--disable-gpu', '--hide-scrollbars', '--no-first-run', '--disable-dev-shm-usage',
                 f'--user-data-dir={self.folder.name}']
        # Chromium's own sandbox refuses to run as root.
        if os.geteuid() == 0:
            flags.append('--no-sandbox')
        return {'goog:chromeOptions': {'args': flags}, 'goog:loggingPrefs': {'performance': 'ALL', 'browser': 'ALL'}}

    def close(self):
        try:
            if self.session:
                self.call('DELETE', f'/session/{self.session}')
        finally:
            self.driver.terminate()
            self.driver.wait(TIMEOUT_S)
            self.driver.stdout.close()
            self.folder.cleanup()

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {'Content-Type': 'application/json'}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                return json.load(answer)['value']
        except urllib.error.HTTPError as error:
            raise RuntimeError(json.load(error)['value']['message']) from error

    def ask(self, what, body):
        return self.call('POST', f'/session/{self.session}/{what}', body)

    def open(self, url):
        """A new document, also where only what stands behind the # differs."""
        self.ask('url', {'url': 'about:blank'})
        self.ask('url', {'url': url})

    def js(self, script, *arguments):
        return self.ask('execute/sync', {'script': script, 'args': list(arguments)})

    def devtools(self, command, **parameters):
        return self.ask('goog/cdp/execute', {'cmd': command, 'params': parameters})

    def size(self, width, height):
        self.devtools('Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1, mobile=False)

    def colours(self, scheme):
        self.devtools('Emulation.setEmulatedMedia', features=[{'name': 'prefers-color-scheme', 'value': scheme}])

    def press(self, *keys, holding=None):
        """Keys as a person presses them, wherever the focus is."""
        strokes = []
        for key in keys:
            value = KEYS.get(key, key)
            strokes += [{'type': 'keyDown', 'value': value}, {'type': 'keyUp', 'value': value}]
        if holding:
            strokes = [{'type': 'keyDown', 'value': KEYS[holding]}, *strokes, {'type': 'keyUp', 'value': KEYS[holding]}]
        self.ask('actions', {'actions': [{'type': 'key', 'id': 'keyboard', 'actions': strokes}]})

    def click(self, selector):
        element = self.ask('element', {'using': 'css selector', 'value': selector})[ELEMENT]
        self.ask(f'element/{element}/click', {})

    def picture(self, path):
        with open(path, 'wb') as file:
            file.write(base64.b64decode(self.call('GET', f'/session/{self.session}/screenshot')))

    def pdf(self):
        return base64.b64decode(self.devtools('Page.printToPDF', preferCSSPageSize=True, printBackground=True)['data'])

    def log(self, name):
        return self.ask('se/log', {'type': name})

    def requested(self):
        """The addresses that were asked for since the last call."""
        messages = (json.loads(entry['message'])['message'] for entry in self.log('performance'))
        return [message['params']['request']['url'] for message in messages
                if message['method'] == 'Network.requestWillBeSent']
