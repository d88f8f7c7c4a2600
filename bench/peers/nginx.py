"""nginx: our answer's body as a file, with one worker: what a web server does best."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from bench.load.cores import pin
from bench.peers.peer import SERVICE, Peer, Server, Setting
from bench.peers.processes import ports, process, program, wait_answers, with_children
from bench.peers.words import ConstantWords, RegistryWords
from tests.support.process_ports import LOOPBACK

NAME = "nginx"
# Without sendfile: for a file of one kilobyte that costs two system calls less.
CONFIGURATION = """
{user}
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/errors;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  sendfile off;
  open_file_cache max=100;
  keepalive_requests 1000000000;
  default_type application/json;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{ listen {host}:{port}; root {folder}/root; }}
}}
"""


@contextmanager
def nginx(setting: Setting) -> Iterator[Peer]:
    """Serve the file under the path of a read."""
    binary = program(setting, NAME)
    folder = setting.own_folder(NAME)
    read = RegistryWords().read(SERVICE)
    file = folder / "root" / read.split(b" ")[1].decode().lstrip("/")
    file.parent.mkdir(parents=True)
    file.write_bytes(setting.answer.partition(b"\r\n\r\n")[2])
    # Started by root its worker would be somebody else, who cannot read the file.
    user = "user root;" if os.geteuid() == 0 else ""
    with ports(1) as (port,):
        text = CONFIGURATION.format(user=user, folder=folder, host=LOOPBACK, port=port)
        (folder / "nginx.conf").write_text(text)
        command = [binary, "-p", str(folder), "-c", str(folder / "nginx.conf")]
        with process(NAME, command, folder, setting.cores) as pid:
            url = wait_answers(NAME, pid, port, f"/services/{SERVICE}", folder)
            pids = with_children(pid)
            pin(pids, setting.cores)  # its worker may have begun before it was pinned
            yield Peer(NAME, (Server(url, pids),), ConstantWords(read))
