"""Typed use of the fixture bank."""

import asyncio
from typing import assert_type

import bank


async def transfers() -> int:
    bank.open("alice", 10)
    assert_type(bank.add(2, 3), int)
    await bank.transfer_later(10, from_="alice", to="bob", amount=3)
    async with asyncio.TaskGroup() as group:
        later = group.create_task(bank.balance_later("bob"))
    assert_type(later.result(), int)
    with bank.Account("carol", 5) as account:
        account.deposit(3)
        account.owner = "Carol"
        account.balance = 7  # wrong
        assert_type(bank.Account.named("dora"), bank.Account)
    bank.add(2.5, 3)  # wrong
    bank.transfer("alice", "bob")  # wrong
    return bank.balance_later("bob") + 1  # wrong
