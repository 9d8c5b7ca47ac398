"""The window: the only place with Qt. Imported only when a window is wanted."""
