"""People, links, tokens, and the chain of what was changed."""

from datetime import timedelta

import pytest
from sqlmodel import select

from inventory import audit, users
from inventory.database import Register
from inventory.models import AuditEntry, LoginSession, Role, User, utcnow


def test_a_password_opens_and_a_wrong_one_does_not(register: Register) -> None:
    with register.session() as session:
        user = users.create_user(session, "Li", "correct horse", Role.viewer)
        session.commit()
        assert "correct" not in user.password_hash
        assert users.verify_password(session, "li", "correct horse") == user
        assert users.verify_password(session, "Li", "wrong horse!") is None
        assert users.verify_password(session, "Wang", "correct horse") is None
        with pytest.raises(ValueError, match="already"):
            users.create_user(session, "LI", "another password")
        with pytest.raises(ValueError, match="name"):
            users.create_user(session, " ", "another password")


@pytest.mark.parametrize("password", ["", "short", "administrator"])
def test_a_weak_password_is_refused(sqlite: Register, password: str) -> None:
    with sqlite.session() as session, pytest.raises(users.WeakPasswordError):
        users.create_user(session, "administrator", password)


def test_a_reset_signs_out_and_asks_for_a_change(register: Register) -> None:
    with register.session() as session:
        user = users.create_user(session, "li", "correct horse")
        session.add(LoginSession(token_hash="x", user_id=user.id or 0, csrf="y"))
        link = users.make_login_link(session, user)
        password = users.reset_password(session, user)
        session.commit()
        assert session.exec(select(LoginSession)).all() == []
        assert users.redeem_login_link(session, link) is None
        assert user.must_change
        assert users.verify_password(session, "li", password) == user


def test_a_link_serves_once_and_for_a_while(register: Register) -> None:
    with register.session() as session:
        user = users.create_user(session, "li")
        link = users.make_login_link(session, user)
        late = users.make_login_link(session, user, timedelta(seconds=-1))
        assert users.redeem_login_link(session, link) == user
        assert users.redeem_login_link(session, link) is None
        assert users.redeem_login_link(session, late) is None
        assert users.redeem_login_link(session, "guess") is None


def test_who_is_disabled_is_shut_out_everywhere(register: Register) -> None:
    with register.session() as session:
        users.create_user(session, "boss", "a long password", Role.administrator)
        user = users.create_user(session, "li", "correct horse")
        token = users.make_token(session, user, "scripts")
        expired = users.make_token(session, user, "old", expires_at=utcnow())
        found = users.verify_token(session, token)
        assert found is not None
        assert (found[0], found[1].scope) == (user, "read")
        assert users.verify_token(session, expired) is None
        assert users.verify_token(session, "edu_guess") is None
        users.disable_user(session, user)
        assert users.verify_token(session, token) is None
        assert users.verify_password(session, "li", "correct horse") is None
        with pytest.raises(ValueError, match="scope"):
            users.make_token(session, user, "x", "everything")


def test_the_last_administrator_stays(register: Register) -> None:
    with register.session() as session:
        made = users.ensure_administrator(session)
        assert made is not None
        name, password = made
        session.commit()
        assert users.ensure_administrator(session) is None
        admin = users.verify_password(session, name, password)
        assert admin is not None
        assert admin.role is Role.administrator
        with pytest.raises(ValueError, match="last administrator"):
            users.disable_user(session, admin)
        users.create_user(session, "second", "a long password", Role.administrator)
        users.disable_user(session, admin)
        second = users.find_user(session, "second")
        assert second is not None
        second.disabled = True
        session.flush()
        again = users.ensure_administrator(session)
        assert again is not None
        assert again[0] == "admin"
        assert users.verify_password(session, *again) == admin


def test_generated_passwords_differ() -> None:
    assert len({users.generate_password() for _ in range(100)}) == 100


def test_the_chain_breaks_where_an_entry_is_altered(register: Register) -> None:
    with register.session() as session:
        for number in range(3):
            audit.record(session, "li", "update", "school", number, {"name": "甲", "at": utcnow()}, {"name": "乙"})
        session.commit()
        session.expire_all()
        assert audit.first_broken(session) is None
        second = session.get(AuditEntry, 2)
        assert second is not None
        second.after = {"name": "丙"}
        session.commit()
        assert audit.first_broken(session) == 2


def test_an_entry_taken_out_is_found(register: Register) -> None:
    with register.session() as session:
        for number in range(3):
            audit.record(session, "li", "delete", "school", number)
        session.commit()
        session.delete(session.get(AuditEntry, 2))
        session.commit()
        assert audit.first_broken(session) == 3


def test_no_secret_stands_in_an_entry(register: Register) -> None:
    with register.session() as session:
        user = User(name="li", role=Role.viewer, password_hash="$argon2id$abc")
        entry = audit.record(
            session, "boss", "create", "user", 1, None, {**user.model_dump(), "deep": {"community": "public"}}
        )
        assert "argon2" not in str(entry.after)
        assert "public" not in str(entry.after)
        assert entry.after is not None
        assert entry.after["role"] == "viewer"


def test_changes_name_what_differs() -> None:
    before = {"name": "甲", "row_version": 1, "level": "primary"}
    assert audit.changes(before, {"name": "乙", "row_version": 2, "level": "primary"}) == (
        {"name": "甲"},
        {"name": "乙"},
    )
