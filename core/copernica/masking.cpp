#include "core/copernica/masking.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace mirror::copernica {
namespace {

void mask(std::optional<std::string_view>& text, TextArena& texts, const Secret& secret) {
    if (text && secret.occurs_in(*text)) {
        text = texts.keep(secret.redact(*text));
    }
}

}  // namespace

void mask(Page& page, const Secret& secret) {
    for (Row& row : page.rows) {
        for (auto& text : row.texts) {
            mask(text, page.texts, secret);
        }
        for (Entry& entry : row.entries) {
            mask(entry.first, page.texts, secret);
            mask(entry.second, page.texts, secret);
        }
        mask(row.extra, page.texts, secret);
    }
    for (Reject& reject : page.rejects) {
        if (!secret.occurs_in(reject.record)) {
            continue;
        }
        reject.record = secret.redact(reject.record);
        if (reject.timestamp) {
            reject.timestamp = secret.redact(*reject.timestamp);
        }
        // It shows the beginning of a value, which may end within the token.
        reject.reason = "unusable, and the access token is in it";
    }
}

void mask(Identity& identity, const Secret& secret) {
    for (std::string* const text : {&identity.id, &identity.name}) {
        if (secret.occurs_in(*text)) {
            *text = secret.redact(*text);
        }
    }
}

}  // namespace mirror::copernica
