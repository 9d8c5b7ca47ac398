"""The panel of settings: everything that makes sense to change while a session runs, explained, searched and kept."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import Qt, QTimer, pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QScrollArea, QVBoxLayout, QWidget

from ..config import AppConfig, save_user_settings
from ..errors import ConfigError, UserSettingsError
from .panel_style import Panel, set_part, small
from .setting_row import Card, SettingRow
from .settings_model import Setting, saved_keys, settings_of, value_of, with_value

SETTLE_MS = 350
"""Changes that follow one another so quickly are told as one: no session starts anew for each step of a number."""
SURE_MS = 4000


class SettingsPanel(Panel):
    """Shows and changes settings. Belongs to the window's thread."""

    changed = pyqtSignal(object)
    """The new `AppConfig`, checked; what it asks for says `settings_model.effect_of`."""

    def __init__(self, config: AppConfig) -> None:
        super().__init__()
        self.setAccessibleName("Settings")
        self._config = self._told = config
        self._settings: tuple[Setting, ...] = ()
        self._cards: list[Card] = []
        self.rows: dict[str, SettingRow] = {}
        self.search = QLineEdit()
        self.nothing = QLabel("No setting is called so. Try another word, as “fps” or “openvino”.")
        self.save = QPushButton("Save as my settings")
        self.reset_all = QPushButton("Reset all")
        self.note = small(QLabel())
        self._scroll = QScrollArea()
        self._column = QVBoxLayout()
        self._settle = self._timer(SETTLE_MS, self._tell)
        self._sure = self._timer(SURE_MS, lambda: self.reset_all.setText("Reset all"))
        self._arrange()
        self._build()

    @property
    def config(self) -> AppConfig:
        """The settings as they stand in the panel, told or not yet."""
        return self._config

    def show_config(self, config: AppConfig) -> None:
        """Show other settings, and tell nobody; where they are those told last, what is being edited stays."""
        if config == self._told:
            return
        self._settle.stop()
        self._config = self._told = config
        self._build()

    def _timer(self, ms: int, act: Callable[[], object]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(ms)
        timer.timeout.connect(act)
        return timer

    def _arrange(self) -> None:
        whole = QVBoxLayout(self)
        whole.setContentsMargins(12, 12, 12, 12)
        whole.setSpacing(10)
        self.search.setPlaceholderText("Search settings")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName("Search settings")
        self.search.setToolTip("Finds settings by name, meaning or key.")
        self.search.textChanged.connect(self._filter)
        whole.addWidget(self.search)
        inside = QWidget()
        inside.setProperty("part", "column")
        inside.setLayout(self._column)
        self._column.setContentsMargins(0, 0, 6, 0)
        self._column.setSpacing(14)
        self._scroll.setWidget(inside)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        whole.addWidget(self._scroll, 1)
        whole.addLayout(self._foot())

    def _foot(self) -> QVBoxLayout:
        self.nothing.setWordWrap(True)
        self.nothing.setProperty("part", "dim")
        self.nothing.hide()
        self._column.addWidget(self.nothing)
        self._column.addStretch(1)
        self.save.setProperty("part", "main")
        self.save.setToolTip("Keep these settings for every start of mocap-app, with or without the window.")
        self.save.clicked.connect(self._save)
        self.reset_all.setProperty("part", "plain")
        self.reset_all.setToolTip("Put every setting of this panel back to its default; what was saved stays as it is.")
        self.reset_all.clicked.connect(self._reset_all)
        self.note.hide()
        foot = QVBoxLayout()
        foot.setSpacing(6)
        buttons = QHBoxLayout()
        buttons.addWidget(self.save, 1)
        buttons.addWidget(self.reset_all)
        foot.addWidget(self.note)
        foot.addLayout(buttons)
        return foot

    def _build(self) -> None:
        """Show the settings; new rows where the settings that there are have changed, as with another engine."""
        settings = settings_of(self._config)
        if settings != self._settings:
            self._rebuild(settings)
        for key, row in self.rows.items():
            row.show_value(value_of(self._config, key))
        self._enable()

    def _rebuild(self, settings: tuple[Setting, ...]) -> None:
        held = next((key for key, row in self.rows.items() if row.isAncestorOf(self._focused())), "")
        for card in self._cards:
            self._column.removeWidget(card)
            card.hide()
            card.deleteLater()
        self._settings, self._cards, self.rows = settings, [], {}
        for setting in settings:
            if not self._cards or self._cards[-1].heading.text() != setting.row.group:
                self._cards.append(Card(setting.row.group))
                self._column.insertWidget(len(self._cards), self._cards[-1])
            self._cards[-1].add(self._row(setting))
        self._filter(self.search.text())
        if held in self.rows:
            self.rows[held].editor.setFocus()

    def _row(self, setting: Setting) -> SettingRow:
        row = self.rows[setting.key] = SettingRow(setting)
        row.edited.connect(self._edit)
        row.reset_asked.connect(lambda key: self._edit(key, self.rows[key].setting.default))
        return row

    def _focused(self) -> QWidget:
        return self.focusWidget() or self

    def _edit(self, key: str, value: object) -> None:
        row = self.rows[key]
        try:
            self._config = with_value(self._config, row.setting, value)
        except ConfigError as error:
            row.show_error(str(error))
            return
        row.show_value(value)
        self._settle.start()
        if settings_of(self._config) != self._settings:
            self._build()
        self._enable()

    def _enable(self) -> None:
        for row in self.rows.values():
            needed = row.setting.row.needs
            row.setEnabled(not needed or bool(value_of(self._config, needed)))

    def _tell(self) -> None:
        if self._config != self._told:
            self._told = self._config
            self.changed.emit(self._config)

    def _filter(self, words: str) -> None:
        found = [card.filter(words) for card in self._cards]
        self.nothing.setVisible(not any(found))

    def _reset_all(self) -> None:
        """Ask once more on the button itself, then reset."""
        if not self._sure.isActive():
            self.reset_all.setText("Really reset?")
            self._sure.start()
            return
        self._sure.stop()
        self.reset_all.setText("Reset all")
        config = self._config
        for key in ("engine.name", "detector.name"):  # their options go with them
            config = with_value(config, self.rows[key].setting, self.rows[key].setting.default)
        for setting in settings_of(config):
            config = with_value(config, setting, setting.default)
        self._config = config
        self._build()
        self._settle.start()

    def _save(self) -> None:
        try:
            file = save_user_settings(self._config, saved_keys(self._config))
        except UserSettingsError as error:
            self._say(str(error), "error")
        else:
            self._say(f"Saved in {file}", "good")

    def _say(self, words: str, part: str) -> None:
        set_part(self.note, part)
        self.note.setText(words)
        self.note.show()
