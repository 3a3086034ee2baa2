// The token that goes into `Authorization` of version 4: the account's, or a JWT made from it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "core/copernica/api.hpp"
#include "core/copernica/bearer_policy.hpp"
#include "core/copernica/request_gate.hpp"
#include "core/copernica/request_observer.hpp"
#include "core/copernica/server_clock.hpp"
#include "core/copernica/token_service.hpp"
#include "core/time/clock.hpp"
#include "core/util/secret.hpp"
#include "core/util/semaphore.hpp"
#include "core/util/task_group.hpp"

namespace mirror::copernica {

/// One for each process. Carries out what bearer_policy.hpp decides. JWTs are held here and
/// nowhere else.
class Bearer {
  public:
    /// `made` is told of each JWT before it is sent. `clock` and `observer` must outlive it.
    Bearer(Secret api_token, TokenService service, Clock& clock, RequestObserver& observer,
           std::function<void(const Secret&)> made);

    /// A token on its way through one call.
    class Presented {
      public:
        const Secret& secret() const { return secret_; }

      private:
        friend class Bearer;
        Presented(Secret secret, TokenForm form, std::uint64_t version, bool just_made)
            : secret_(std::move(secret)), form_(form), version_(version), just_made_(just_made) {}

        Secret secret_;
        TokenForm form_;
        std::uint64_t version_;  ///< of the tokens that there were then
        bool just_made_;         ///< for this call
        unsigned refusals_ = 0;  ///< of this call
    };

    /// What to send. Gets a JWT if one is needed, or due. Throws ApiError if there is none.
    boost::asio::awaitable<Presented> present(RequestGate& gate);

    /// The API refused it. True: there is another one in `presented`, try again. Throws ApiError
    /// if another one cannot be had, but not for a bare refusal.
    boost::asio::awaitable<bool> refused(Presented& presented, bool is_identity, Refusal how,
                                         RequestGate& gate);

    /// The API took it.
    void accepted(const Presented& presented);

    /// The `Date` of one of the API's replies.
    void observe(std::optional<Instant> date);

    /// The account's token has become another one: what was made from the one before is forgotten.
    void use(Secret api_token);

    /// Requests that went to the token service.
    std::uint64_t requests() const { return service_.requests(); }

    /// The form that the API takes; nothing while that is not known.
    std::optional<TokenForm> proven() const { return proven_; }

  private:
    struct Jwt {
        Jwt(Secret its_token, std::optional<Seconds> its_left, Monotonic at)
            : token(std::move(its_token)), left(its_left), received(at) {}
        Secret token;
        std::optional<Seconds> left;  ///< of its life, when it was received
        Monotonic received;
    };

    Freshness freshness_of(const Jwt& jwt) const;
    Presented current(bool just_made) const;
    boost::asio::awaitable<bool> renew(std::uint64_t seen, RequestGate& gate,
                                       std::optional<std::chrono::seconds> limit = std::nullopt);
    boost::asio::awaitable<void> renew_early(RequestGate& gate);
    boost::asio::awaitable<TokenService::Made> exchange(Secret token,
                                                        std::optional<std::chrono::seconds> limit);
    boost::asio::awaitable<void> exchange_into(std::optional<TokenService::Made>& made,
                                               Secret token, TaskGroup& tasks);
    boost::asio::awaitable<void> end_after(std::chrono::seconds limit);
    void keep(TokenService::Made made);

    Secret api_token_;
    TokenService service_;
    Clock& clock_;
    RequestObserver& observer_;
    std::function<void(const Secret&)> made_;
    ServerClock api_clock_;
    TokenForm form_ = TokenForm::api_token;  ///< what is sent next
    std::optional<TokenForm> proven_;
    std::optional<Jwt> jwt_;
    std::uint64_t version_ = 0;        ///< goes up with each token
    std::uint64_t first_version_ = 0;  ///< of the account's token at hand
    // One exchange for all calls. Those that waited while it failed fail with it.
    Semaphore turn_{1};
    std::uint64_t attempts_ = 0;
    bool at_work_ = false;
    std::optional<ApiError> last_failure_;
    std::optional<Monotonic> not_early_before_;
    std::optional<Monotonic> bare_exchange_at_;  ///< for a bare refusal, in vain so far
};

}  // namespace mirror::copernica
