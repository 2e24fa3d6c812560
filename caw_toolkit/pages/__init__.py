"""Pages to listen to: one HTML file each, which opens from the disk and asks nobody for anything.

`page.html`, `track.html`, `page.css` and `page.js` are what a page is made of; the modules fill them in.
"""
