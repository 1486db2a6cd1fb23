"""People who log in, the units that they belong to, and what a unit's people may do."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.ids import new_id


class OrganisationUnit(models.Model):
    """A node of the organisation's tree: the company, a division, a department."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(_("name"), max_length=120)
    parent = models.ForeignKey(
        "self", verbose_name=_("parent unit"), null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    glossary = models.TextField(
        _("glossary"),
        max_length=2000,
        blank=True,
        default="",
        db_default="",
        help_text=_("Names and terms that minutes are to spell right, one a line. With those of the units above."),
    )

    class Meta:
        ordering = ["name"]
        verbose_name = _("organisation unit")
        verbose_name_plural = _("organisation units")
        constraints = [
            models.UniqueConstraint(fields=["parent", "name"], name="unit_name_in_parent", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        above = self.parent
        while above is not None:
            if above.pk == self.pk:
                raise ValidationError({"parent": _("A unit cannot lie within itself or a unit below it.")})
            above = above.parent


class Lobby(models.TextChoices):
    """Who has to be let in by somebody in charge before they hear and are heard; the laxest first."""

    OFF = "off", _("nobody waits")
    GUESTS = "guests", _("guests wait")
    EVERYBODY = "everybody", _("everybody who comes by themself waits")

    @classmethod
    def stricter(cls, one: str, other: str) -> str:
        return max(one, other, key=cls.values.index)


class OrganisationPolicy(models.Model):
    """What the people of a unit may do. The nearest unit upwards that has a policy decides; where none has, the
    defaults here do.

    The switches from `member_may_unmute_self` on, and the lobby, cap those of a plan: a plan may be stricter, never
    laxer.
    """

    unit = models.OneToOneField(
        OrganisationUnit, verbose_name=_("organisation unit"), on_delete=models.CASCADE, related_name="policy"
    )
    may_create_plans = models.BooleanField(_("may create plans"), default=True)
    may_dial_outside = models.BooleanField(_("may dial mobiles and landlines"), default=True)
    may_record = models.BooleanField(_("may record"), default=True)
    may_export = models.BooleanField(_("managers may export and erase"), default=False)
    recordings_kept = models.PositiveIntegerField(
        _("days that recordings are kept"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_(
            "From the end of the conference. Each night what is older is erased for good, unless it is on legal hold. "
            "Empty: kept for ever."
        ),
    )
    max_participants = models.PositiveIntegerField(_("most participants of a conference"), default=1000)
    member_may_unmute_self = models.BooleanField(_("members may unmute themselves"), default=True)
    participant_may_unmute_self = models.BooleanField(_("participants may unmute themselves"), default=True)
    member_may_invite = models.BooleanField(_("members may invite"), default=True)
    member_may_whisper = models.BooleanField(_("members may open whispers"), default=True)
    member_may_copy_plan = models.BooleanField(_("members may copy plans"), default=True)
    member_may_replay = models.BooleanField(_("members may replay"), default=True)
    participant_may_replay = models.BooleanField(_("participants may replay"), default=True)
    member_may_correct_own_words = models.BooleanField(_("members may correct their own words"), default=True)
    guests_may_join = models.BooleanField(_("guests may join by a link"), default=True)
    lobby = models.CharField(_("lobby at least"), max_length=10, choices=Lobby.choices, default=Lobby.OFF)

    class Meta:
        verbose_name = _("organisation policy")
        verbose_name_plural = _("organisation policies")

    def __str__(self) -> str:
        return str(self.unit)


class UserManager(BaseUserManager["User"]):
    def create_user(self, username: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(username=username, **fields)
        user.set_password(password)
        user.full_clean(exclude=["password"])
        user.save(using=self._db)
        return user

    def create_superuser(self, username: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(username, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who logs in. Platform administrators are `is_staff`: they manage objects, they hear no content."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    username = models.CharField(_("user name"), max_length=64, unique=True, validators=[UnicodeUsernameValidator()])
    display_name = models.CharField(_("display name"), max_length=64)
    email = models.EmailField(_("e-mail"), blank=True)
    unit = models.ForeignKey(
        OrganisationUnit,
        verbose_name=_("organisation unit"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="users",
    )
    language = models.CharField(
        _("language"), max_length=10, choices=[("zh-hans", "简体中文"), ("en", "English")], default="zh-hans"
    )
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("platform administrator"), default=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["display_name"]

    objects = UserManager()

    class Meta:
        ordering = ["display_name"]
        verbose_name = _("user")
        verbose_name_plural = _("users")

    def __str__(self) -> str:
        return self.display_name or self.username
