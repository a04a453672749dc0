-- Health of every kind of alerting.letsrevel.io, from the condition Ready and its reason.
--   Healthy      Synced, Expired (a silence that has run its course)
--   Suspended    spec.suspend
--   Progressing  the operator goes on by itself, or hasn't looked yet
--   Degraded     a person must change something
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
