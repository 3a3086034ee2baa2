#include "core/copernica/bearer_policy.hpp"

#include <algorithm>

namespace mirror::copernica {
namespace {

// What a JWT lives by the documentation, for one that does not say so.
constexpr Seconds usual_life{24 * 3600};

// Until then this process has ended. In nanoseconds, three centuries are too many for an integer.
constexpr Seconds longest_life{std::chrono::years(20)};

// So much of its life is over when another one is got: a service that is down for hours then does
// no harm.
constexpr int due_numerator = 3;
constexpr int due_denominator = 4;

bool names_the_token(const std::string& message) {
    const auto same = [](char shown, char word) { return (shown | 0x20) == word; };
    constexpr std::string_view word = "token";
    return std::search(message.begin(), message.end(), word.begin(), word.end(), same) !=
           message.end();
}

}  // namespace

std::optional<Refusal> refusal_of(int status, const std::optional<std::string>& message,
                                  bool is_identity) {
    if (!message) {
        return status == 401 ? std::optional(Refusal::bare) : std::nullopt;
    }
    const bool own_form = status == 401 || (status == 403 && is_identity) ||
                          (status == 400 && (is_identity || names_the_token(*message)));
    return own_form ? std::optional(Refusal::own_form) : std::nullopt;
}

std::optional<Seconds> life_left(const JwtTimes& times, const ClocksAtReceipt& clocks) {
    if (!times.expires) {
        return std::nullopt;
    }
    const std::optional<Instant> made = clocks.service ? clocks.service : times.issued;
    const Instant judged = clocks.api.value_or(made.value_or(clocks.machine));
    return *times.expires - std::max(judged, made.value_or(judged));
}

Freshness freshness(std::optional<Seconds> left, std::chrono::nanoseconds age) {
    const bool says_when = left && *left > Seconds(0);
    const std::chrono::nanoseconds life = says_when ? std::min(*left, longest_life) : usual_life;
    if (says_when && age >= life) {
        return Freshness::expired;
    }
    return age >= life / due_denominator * due_numerator ? Freshness::due : Freshness::fresh;
}

AfterRefusal after_refusal(const RefusedToken& token) {
    // It may mean the token or nothing: a token that was good is not given up for it, and another
    // one is got now and then.
    if (token.bare && !token.replaced &&
        (token.bare_lately || token.proven == TokenForm::api_token)) {
        return AfterRefusal::give_up;
    }
    if (token.form == TokenForm::api_token) {
        if (token.replaced) {
            return AfterRefusal::send_current;
        }
        // One refusal of a token that was good a moment ago may be a mistake: ask `identity`.
        const bool was_good = token.proven == TokenForm::api_token;
        return was_good && !token.is_identity ? AfterRefusal::give_up : AfterRefusal::exchange;
    }
    if (token.replaced) {
        return AfterRefusal::send_current;
    }
    return token.just_made ? AfterRefusal::give_up : AfterRefusal::exchange;
}

}  // namespace mirror::copernica
