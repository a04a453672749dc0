-- Health of every kind of alerting.letsrevel.io, from the condition Ready and its reason.
--   Healthy      Synced, Expired (a silence that has run its course)
--   Suspended    Suspended (spec.suspend)
--   Progressing  the operator hasn't looked yet, or waits for what may come without a change of yours: DependencyMissing (it may
--                be part of the same sync), Unavailable, Throttled, InUse
--   Degraded     a person must do something: Invalid, Conflict, NotOwned, Unsupported, and Unauthorized, although the operator
--                tries again: no waiting gives it a better token. A reason that isn't known here is Degraded too.
-- What is being deleted is Progressing without this check.
local progressing = {DependencyMissing = true, Unavailable = true, Throttled = true, InUse = true}

local status = obj.status or {}
local generation = obj.metadata.generation
if status.observedGeneration == nil or (generation ~= nil and status.observedGeneration < generation) then
  return {status = "Progressing", message = "waiting for the operator"}
end
for _, condition in ipairs(status.conditions or {}) do
  if condition.type == "Ready" then
    local message = condition.reason .. ": " .. (condition.message or "")
    if condition.status == "True" then
      return {status = "Healthy", message = message}
    elseif condition.reason == "Suspended" then
      return {status = "Suspended", message = message}
    elseif progressing[condition.reason] then
      return {status = "Progressing", message = message}
    end
    return {status = "Degraded", message = message}
  end
end
return {status = "Progressing", message = "waiting for the operator"}
