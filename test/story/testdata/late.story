# A record that comes late for a bucket with a package: what was priced in its place is covered now or no longer, and one
# correction for each resource sets the month right.

clock     2027-05-10 10:00
customer  cedar-labs
nocoupons
give      bucket obs.package.100gb 1
clock     2027-05-10 11:00
use       b bucket size 60 17 2027-05-10T11:00 3
clock     2027-05-10 16:00
charged   b size 2027-05 records 3 usage 180 covered 100 corrections 0 official 0.00264   # 80 GB at 0.000033
use       a bucket size 50 17 2027-05-10T11:00
clock     2027-05-10 17:00              # a comes before b in its hour, and takes 50 GB
charged   a size 2027-05 records 1 usage 50 covered 50 official 0
charged   b size 2027-05 records 4 usage 180 covered 50 corrections 1 official 0.00429
left      storage 0
use       b bucket size 60 17 2027-05-10T11:00 3 again=yes   # nothing new
check
