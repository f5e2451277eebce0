"""A disk whose power can be cut."""

import os
import subprocess

import harness

DISK_SIZE = 256 * 1024 * 1024


class Disk:
    """An ext4 file system in a file, whose power can be cut."""

    def __init__(self):
        if os.geteuid() != 0:
            harness.skip("only root may mount")
        folder = harness.make_folder()
        self._image = os.path.join(folder, "image")
        self.path = os.path.join(folder, "disk")
        self._witness = ""  # a file that is never synced
        self._cuts = 0
        os.mkdir(self.path)
        with open(self._image, "wb") as file:
            file.truncate(DISK_SIZE)
        subprocess.run(["mkfs.ext4", "-q", self._image], check=True)

    def __enter__(self):
        done = self._mount()
        if done.returncode != 0:
            harness.skip(f"no loop device: {done.stderr.strip()}")
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.path], check=True)

    def _mount(self):
        return subprocess.run(["mount", "-o", "loop", self._image, self.path],
                              capture_output=True, text=True, check=False)

    def cut_power(self):
        """From now on nothing is written any more, also what was only in memory."""
        self._cuts += 1  # a new file: ext4 syncs one that replaces another
        self._witness = os.path.join(self.path, f"witness-{self._cuts}")
        with open(self._witness, "wb") as file:
            file.write(b"never synced")
        subprocess.run(["xfs_io", "-x", "-c", "shutdown", self.path], check=True)

    def power_on(self):
        """After everybody who used it has ended."""
        subprocess.run(["umount", self.path], check=True)
        assert self._mount().returncode == 0, "the file system does not come back"
        forgotten = not os.path.exists(self._witness) or os.path.getsize(self._witness) == 0
        assert forgotten, "that was no power cut: bytes survived that were never synced"
