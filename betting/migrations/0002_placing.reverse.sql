DROP FUNCTION betting_stand(uuid, uuid, integer, uuid, integer, integer);
