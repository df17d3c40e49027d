"""An album in one file: faces, templates, people and decisions, to be kept or taken to another machine."""
