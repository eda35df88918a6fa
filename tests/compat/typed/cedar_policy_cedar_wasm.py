"""Typed use of @cedar-policy/cedar-wasm."""

from typing import assert_type

import cedar_policy_cedar_wasm as cedar


def decide(policy: str) -> bool:
    user: cedar.EntityUid = {"type": "User", "id": "alice"}
    call: cedar.AuthorizationCall = {
        "principal": user,
        "action": {"type": "Action", "id": "view"},
        "resource": {"type": "Photo", "id": "one"},
        "context": {},
        "policies": {"staticPolicies": policy},
        "entities": [],
    }
    answer = cedar.is_authorized(call)
    if answer["type"] == "failure":
        assert_type(answer["errors"], list[cedar.DetailedError])
        print(answer["response"])  # wrong
        return False
    cedar.is_authorized({"principal": user})  # wrong
    assert_type(cedar.get_cedar_version(), str)
    return answer["response"]["decision"] == "allow"
